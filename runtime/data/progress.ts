/**
 * @file Progress of long loops. In: something to loop over. Out: the same items; on a terminal a line that overwrites itself,
 * elsewhere a line now and then. A loop that is over soon says nothing.
 */

/** Where progress is written: a terminal, or a file. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** How many items there are; by default the `length` or `size` of what is looped over. */
  readonly total?: number;
  /** What the loop does. */
  readonly label?: string;
}

type Items<T> = Iterable<T> | AsyncIterable<T>;

/** The items of a loop that shows how far it is. */
export interface Progress {
  /** Shown behind the bar: a loss, say. */
  note: string;
}

const BAR = 20;
const TERMINAL_MS = 100;
const LINES_MS = 10_000;

/** A bar that is full for a fraction of 1. */
export function bar(fraction: number): string {
  const done = Math.round(BAR * fraction);
  return `[${'█'.repeat(done)}${' '.repeat(BAR - done)}]`;
}

/** Loops over `items`, and shows how far it is, how fast it goes and how long it will take. */
export function progress<T>(items: Iterable<T>, options?: ProgressOptions): Iterable<T> & Progress;
export function progress<T>(items: AsyncIterable<T>, options?: ProgressOptions): AsyncIterable<T> & Progress;
export function progress<T>(items: Items<T>, options: ProgressOptions = {}): Items<T> & Progress {
  return shown(items, options, process.stderr, () => performance.now());
}

/** As `progress`, with another output and another clock, in milliseconds. */
export function shown<T>(items: Items<T>, options: ProgressOptions, output: Output, now: () => number): Items<T> & Progress {
  const line = new Line({ total: sizeOf(items), ...options }, output, now);
  const loop: Items<T> =
    Symbol.asyncIterator in items
      ? { [Symbol.asyncIterator]: () => waiting(items, line) }
      : { [Symbol.iterator]: () => each(items, line) };
  return Object.defineProperty(loop, 'note', {
    get: () => line.note,
    set: (text: string) => (line.note = text),
  }) as Items<T> & Progress;
}

function* each<T>(items: Iterable<T>, line: Line): Generator<T, void, undefined> {
  line.start();
  try {
    for (const item of items) {
      yield item;
      line.advance();
    }
  } finally {
    line.end();
  }
}

async function* waiting<T>(items: AsyncIterable<T>, line: Line): AsyncGenerator<T, void, undefined> {
  line.start();
  try {
    for await (const item of items) {
      yield item;
      line.advance();
    }
  } finally {
    line.end();
  }
}

function sizeOf(items: object): number | undefined {
  const { length, size } = items as { readonly length?: unknown; readonly size?: unknown };
  return typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
}

class Line {
  note = '';
  private done = 0;
  private began = 0;
  private written = 0;
  private last: string | undefined;

  constructor(
    private readonly options: ProgressOptions,
    private readonly output: Output,
    private readonly now: () => number,
  ) {}

  start(): void {
    this.began = this.written = this.now();
    this.done = 0;
    this.last = undefined;
  }

  advance(): void {
    this.done++;
    const time = this.now();
    if (time - this.written < (this.output.isTTY ? TERMINAL_MS : LINES_MS)) return;
    this.written = time;
    this.write(this.text(time));
  }

  /** The last state stays; what never wrote anything stays silent. */
  end(): void {
    if (this.last === undefined) return;
    this.write(this.text(this.now()));
    if (this.output.isTTY) this.output.write('\n');
  }

  private write(text: string): void {
    if (text === this.last) return;
    this.last = text;
    this.output.write(this.output.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
  }

  private text(time: number): string {
    const { total, label } = this.options;
    const seconds = (time - this.began) / 1000;
    const rate = this.done / seconds;
    const left = total === undefined ? 0 : total - this.done;
    return [
      label,
      total === undefined ? undefined : `${bar(Math.min(1, this.done / total))} ${Math.floor((100 * this.done) / total)} %`,
      total === undefined ? String(this.done) : `${this.done}/${total}`,
      `${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)}/s`,
      left > 0 ? `${duration(left / rate)} left` : duration(seconds),
      this.note || undefined,
    ]
      .filter((part) => part !== undefined)
      .join('  ');
  }
}

/** `0:07`, `12:30`, `1:02:30`. */
function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
