/** @file A block of kernel text that is being written: its lines, the axes it gives values to, the values it has named. */
import type { Axis } from '../tensor/affine.ts';

export interface Line {
  readonly text: string;
  readonly origin: number;
}

export class Scope {
  readonly lines: Line[] = [];
  /** Of values, and of what several values are parts of. */
  readonly names = new Map<object, string>();
  readonly bound = new Set<string>();

  constructor(
    public parent?: Scope,
    /** Only run under a condition: what is needed here only is computed here. */
    private readonly lazy = false,
  ) {}

  /** Blocks around it. */
  get depth(): number {
    return this.parent ? this.parent.depth + 1 : 0;
  }

  line(text: string, origin = -1): void {
    this.lines.push({ text, origin });
  }

  /** Puts `inner` here, between two lines. */
  block(head: string, inner: Scope, tail = '}'): void {
    this.line(head, inner.lines[0]?.origin);
    this.append(inner, tail);
  }

  append(inner: Scope, tail: string): void {
    for (const l of inner.lines) this.line(`  ${l.text}`, l.origin);
    this.line(tail, inner.lines.at(-1)?.origin);
  }

  /** The name under which this scope or one around it has the value. */
  find(named: object): string | undefined {
    return this.names.get(named) ?? this.parent?.find(named);
  }

  /** The outermost scope in which all of `free` have values, not going out of a conditional block. */
  home(free: ReadonlyMap<string, Axis>): Scope {
    for (const key of free.keys()) if (this.bound.has(key)) return this;
    return this.lazy || !this.parent ? this : this.parent.home(free);
  }
}
