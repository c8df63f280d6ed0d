/** @file One line of progress that overwrites itself on a terminal, and says nothing elsewhere. */
import type { WriteStream } from 'node:tty';
import { bar } from '../data/progress.ts';

export class Progress {
  private shown = '';

  constructor(private readonly stream: WriteStream) {}

  show(label: string, fraction: number): void {
    this.shown = `${bar(fraction)} ${label}`;
    if (this.stream.isTTY) this.stream.write(`\r\u001b[K${this.shown}`);
  }

  /** Text of the user's program, above the line. */
  print(text: string): void {
    if (!this.stream.isTTY) this.stream.write(text);
    else this.stream.write(`\r\u001b[K${text}${text.endsWith('\n') ? '' : '\n'}${this.shown}`);
  }

  clear(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001b[K');
  }
}
