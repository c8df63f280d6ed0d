/**
 * @file Products whose operands are staged: a workgroup computes a block of positions and shares the factors that they have
 * in common, which its threads put into workgroup memory step by step. In: a nest. Out: which axes are the block's rows and
 * columns, and sizes; undefined where no such sharing pays. A convolution is one of these: its windows are index arithmetic.
 */
import type { Axis, Index } from '../tensor/affine.ts';
import { product as multiply } from './arithmetic.ts';
import { everyExpr } from './axes.ts';
import type { Expr } from './expr.ts';
import type { Nest } from './nest.ts';

type Sum = Extract<Expr, { kind: 'reduce' }>;

/** One factor and the positions that it depends on. */
export interface Staged {
  readonly value: Expr;
  /** The axes of the block's side that it varies with. */
  readonly axes: readonly Axis[];
  /** Whether neighbours along the sum are neighbours in memory, so that threads next to each other read them. */
  readonly alongSum: boolean;
}

export interface TileSizes {
  /** Rows, columns and terms that are staged at once. */
  readonly block: { readonly rows: number; readonly columns: number; readonly depth: number };
  /** What one thread adds up: multiples of 4. */
  readonly thread: { readonly rows: number; readonly columns: number };
  /** So many threads share the terms of one position, each its part of the depth. */
  readonly slices: number;
}

export interface Tiling extends TileSizes {
  readonly sum: Sum;
  readonly rows: Staged;
  /** The side whose neighbours are neighbours in the result. */
  readonly columns: Staged;
  /** Axes that both sides depend on: blocks of different places share nothing. */
  readonly batch: readonly Axis[];
  readonly threads: number;
  readonly workgroups: number;
}

/** From the best reuse to the most workgroups. Each has 256 threads, which stage a vector of each side at once in well below 16 KiB. */
const SIZES: readonly TileSizes[] = [
  { block: { rows: 128, columns: 128, depth: 8 }, thread: { rows: 8, columns: 8 }, slices: 1 },
  { block: { rows: 64, columns: 64, depth: 16 }, thread: { rows: 8, columns: 4 }, slices: 2 },
  { block: { rows: 32, columns: 32, depth: 32 }, thread: { rows: 4, columns: 4 }, slices: 4 },
];
/** A device has about so many places for workgroups; with fewer blocks than that, smaller ones are better. */
const PLACES = 128;
/** Shorter sides fill no block, and shorter sums do not earn back the staging. */
const SHORTEST_SIDE = 24;
const SHORTEST_SUM = 16;

export function tilingOf(nest: Nest): Tiling | undefined {
  const [store, ...others] = nest.stores;
  const [sum, ...more] = everyExpr(nest).filter((e) => e.kind === 'reduce');
  if (!store || others.length > 0 || store.guard || !sum || more.length > 0) return undefined;
  const { body } = sum;
  if (sum.type !== 'float32' || sum.combiner.name !== 'sum' || body.kind !== 'call' || body.op !== multiply) return undefined;
  if (!isAlwaysComputed(sum, store.value) || extentOf(sum.axes) < SHORTEST_SUM) return undefined;
  const [a, b] = body.args;
  if (!a || !b) return undefined;
  const only = (x: Expr, y: Expr) => nest.axes.filter((n) => x.free.has(n.key) && !y.free.has(n.key));
  const [ofA, ofB] = [only(a, b), only(b, a)];
  const batch = nest.axes.filter((n) => !ofA.includes(n) && !ofB.includes(n));
  if (extentOf(ofA) < SHORTEST_SIDE || extentOf(ofB) < SHORTEST_SIDE) return undefined;
  const sides = [staged(a, ofA, sum), staged(b, ofB, sum)] as const;
  const innermost = nest.axes.findLast((n) => !batch.includes(n));
  const [rows, columns] = innermost && ofA.includes(innermost) ? [sides[1], sides[0]] : sides;
  const blocks = (s: TileSizes) =>
    extentOf(batch) * Math.ceil(extentOf(rows.axes) / s.block.rows) * Math.ceil(extentOf(columns.axes) / s.block.columns);
  const sizes = SIZES.find((s) => blocks(s) >= PLACES) ?? SIZES.at(-1);
  if (!sizes) return undefined;
  return { ...sizes, sum, rows, columns, batch, threads: threadsOf(sizes), workgroups: blocks(sizes) };
}

export const extentOf = (axes: readonly Axis[]): number => axes.reduce((n, a) => n * a.extent, 1);

function threadsOf({ block, thread, slices }: TileSizes): number {
  return (block.rows / thread.rows) * (block.columns / thread.columns) * slices;
}

/** All threads must meet in the sum, so it may not stand in an arm of a condition. */
function isAlwaysComputed(sum: Sum, root: Expr): boolean {
  if (root === sum) return true;
  if (root.kind === 'call') return root.args.some((arg) => isAlwaysComputed(sum, arg));
  return root.kind === 'cast' && isAlwaysComputed(sum, root.value);
}

function staged(value: Expr, axes: readonly Axis[], sum: Sum): Staged {
  const last = sum.axes.at(-1);
  const loads: Index[] = [];
  const visit = (e: Expr): void => {
    if (e.kind === 'load') loads.push(e.index);
    else if (e.kind === 'call') e.args.forEach(visit);
    else if (e.kind === 'cast') visit(e.value);
    else if (e.kind === 'select') [e.yes, e.no].forEach(visit);
  };
  visit(value);
  const alongSum = loads.some(({ terms }) => terms.some(({ atom, coefficient }) => atom === last && coefficient === 1));
  return { value, axes, alongSum };
}
