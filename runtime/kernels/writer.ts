/** @file What the texts of single schedules borrow from the emitter of kernels: how values, indices and stores are written. */
import type { Axis, Index } from '../tensor/affine.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Expr } from './expr.ts';
import type { IndexText } from './indices.ts';
import type { Store } from './nest.ts';
import type { Scope } from './scope.ts';
import type { Parameters } from './text.ts';

/** What writes values into scopes. */
export interface Writer {
  readonly p: Parameters;
  readonly at: IndexText;
  readonly preludes: Set<string>;
  /** Text for the number of the workgroup among those that run the same. */
  readonly group: string;
  /** Extensions of WGSL, and further parameters of the kernel, that the text needs. */
  readonly enables: Set<string>;
  readonly builtins: Set<string>;
  value(expr: Expr, scope: Scope): string;
  /** Tells of one more use of an expression, and of those inside when it is new. */
  recount(expr: Expr): void;
  decode(scope: Scope, axes: readonly Axis[], flat: string): void;
  /** A name that nothing else has. */
  name(prefix: string): string;
  literal(value: number, type: DType): string;
  /** The text of a vector of eight halves. */
  octet(buffer: number, vector: Index): string;
  /** Puts the values of one position, or several, in their places: all are computed before one of them replaces what is read. */
  stores(stores: readonly Store[], scope: Scope): void;
}
