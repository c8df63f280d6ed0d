/** @file What the texts of single schedules borrow from the emitter of kernels: how values, indices, sums and stores are written. */
import type { Axis } from '../tensor/affine.ts';
import type { Expr, Sum } from './expr.ts';
import type { IndexText } from './indices.ts';
import type { Store } from './nest.ts';
import type { Scope } from './scope.ts';
import type { Parameters } from './text.ts';

/** What writes values and sums into scopes. */
export interface Writer {
  readonly p: Parameters;
  readonly at: IndexText;
  readonly preludes: Set<string>;
  value(expr: Expr, scope: Scope): string;
  /** Tells of one more use of an expression, and of those inside when it is new. */
  recount(expr: Expr): void;
  decode(scope: Scope, axes: readonly Axis[], flat: string): void;
  accumulator(scope: Scope, sum: Sum): string;
  accumulate(scope: Scope, sum: Sum, total: string, value: string): void;
  part(scope: Scope, sum: Sum): string;
  intoTotals(loop: Scope, round: string, every: number, totals: readonly string[], parts: readonly string[]): void;
  store(store: Store, scope: Scope): void;
}
