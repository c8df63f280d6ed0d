/** @file A block of kernel text that is being written: its lines, the axes it gives values to, the values it has named. */
import type { Axis } from '../tensor/affine.ts';
import type { Expr } from './expr.ts';

export interface Line {
  readonly text: string;
  readonly origin: number;
}

export class Scope {
  readonly lines: Line[] = [];
  readonly names = new Map<Expr, string>();
  readonly bound = new Set<string>();

  constructor(
    public parent?: Scope,
    /** Only run under a condition: what is needed here only is computed here. */
    private readonly lazy = false,
  ) {}

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
  find(expr: Expr): string | undefined {
    return this.names.get(expr) ?? this.parent?.find(expr);
  }

  /** The outermost scope in which all of `free` have values, not going out of a conditional block. */
  home(free: ReadonlyMap<string, Axis>): Scope {
    for (const key of free.keys()) if (this.bound.has(key)) return this;
    return this.lazy || !this.parent ? this : this.parent.home(free);
  }
}
