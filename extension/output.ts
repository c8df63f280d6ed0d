/** @file The “JitLens” output channel: what the user's code printed, and the long story of a failure. */
import { window } from 'vscode';
import type { Failure } from '../runtime/host/protocol.ts';
import { placeOf } from './place.ts';
import type { Registration } from './registration.ts';

export interface Output extends Registration {
  heading(text: string): void;
  /** As the user's code wrote it. */
  write(text: string): void;
  explain(failure: Failure): void;
  show(): void;
}

export function createOutput(): Output {
  const channel = window.createOutputChannel('JitLens');
  return {
    heading: (text) => channel.appendLine(`\n— ${new Date().toLocaleTimeString()} ${text}`),
    write: (text) => channel.append(text),
    explain: (failure) => {
      const place = failure.span === undefined ? [] : [`at ${placeOf(failure.span)}`];
      const lines = [`${failure.code}: ${failure.message}`, ...place, failure.hint ?? '', failure.details ?? ''];
      channel.appendLine(lines.filter((line) => line !== '').join('\n'));
    },
    show: () => channel.show(true),
    dispose: () => channel.dispose(),
  };
}
