/**
 * @file A loop nest: for every position of its axes, each store puts one value at one place. It is what lowering makes,
 * what rewrites improve and what a schedule maps onto threads.
 */
import type { Axis, Condition, Index } from '../tensor/affine.ts';
import type { Builder, Expr } from './expr.ts';

export interface Store {
  readonly buffer: number;
  readonly index: Index;
  readonly value: Expr;
  /** The store is made only where this holds. */
  readonly guard?: Condition;
}

export interface Nest {
  /** Independent axes, outermost first; the last one's neighbours are neighbours in memory. */
  readonly axes: readonly Axis[];
  readonly stores: readonly Store[];
  readonly builder: Builder;
}
