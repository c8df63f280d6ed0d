/**
 * @file Products whose operands are staged: a workgroup computes a block of positions and shares the factors that they have
 * in common, which its threads put into workgroup memory step by step. In: a nest. Out: which axes are the block's rows and
 * columns, and the sizes that may be best.
 */
import { invariant } from '../errors.ts';
import type { Axis, Index } from '../tensor/affine.ts';
import { SHORTEST_SIDE } from '../ops/long-sums.ts';
import { product as multiply } from './arithmetic.ts';
import { everyExpr, everyUnder } from './axes.ts';
import { children, type Expr, type Sum } from './expr.ts';
import { extentOf, typicalOf } from './extents.ts';
import type { Nest } from './nest.ts';

export interface TileSizes {
  /** Rows, columns (a position with parts is as many) and terms that are staged at once. */
  readonly block: { readonly rows: number; readonly columns: number; readonly depth: number };
  /** What one thread adds up: multiples of 4. */
  readonly thread: { readonly rows: number; readonly columns: number };
  /** So many threads share the terms of one position, each its part of the depth. */
  readonly slices: number;
  /** The time that a term takes: until the first, and then for as many blocks as a device has places for. */
  readonly start: number;
  readonly wave: number;
}

export type SideName = 'rows' | 'columns';

/** A sum of products, one factor of which varies along the block's rows and one along its columns. */
interface Product extends Readonly<Record<SideName, Expr>> {
  readonly sum: Sum;
}

/** Products over the same terms that have a factor in common: on the other side each is a part. */
export interface Family extends Readonly<Record<SideName, readonly Expr[]>> {
  readonly sums: readonly [Sum, ...Sum[]];
}

/** The side whose vectors hold parts of a position side by side, and for how many they have room. */
interface Parts {
  readonly side: SideName | undefined;
  readonly room: 1 | 2 | 4;
}

export interface Tiling extends TileSizes {
  /** One after the other, each over its own terms. */
  readonly families: readonly Family[];
  readonly parts: Parts;
  readonly rows: readonly Axis[];
  /** The side whose neighbours are neighbours in the result. */
  readonly columns: readonly Axis[];
  /** Axes that both sides depend on: blocks of different places share nothing. */
  readonly batch: readonly Axis[];
  readonly threads: number;
  /** Workgroups at the extents that it was chosen for, and in fact. */
  readonly blocks: number;
  readonly workgroups: number;
}

/**
 * Those that were best among 170 for products of 64 to 4096 rows on an H100; `start` and `wave` are fitted to what they took
 * there, in nanoseconds for each term. Loads of four and two buffers were within a tenth, and slower for most. The long ones
 * were best among 34 for twelve products of which a side has 3 to 32 positions, and the other one thousands.
 */
const SIZES: readonly TileSizes[] = [
  { block: { rows: 128, columns: 128, depth: 16 }, thread: { rows: 8, columns: 8 }, slices: 1, start: 11, wave: 91 },
  { block: { rows: 128, columns: 64, depth: 16 }, thread: { rows: 8, columns: 8 }, slices: 1, start: 13, wave: 47 },
  { block: { rows: 128, columns: 64, depth: 32 }, thread: { rows: 8, columns: 8 }, slices: 2, start: 1, wave: 56 },
  { block: { rows: 64, columns: 128, depth: 8 }, thread: { rows: 8, columns: 8 }, slices: 1, start: 13, wave: 47 },
  { block: { rows: 64, columns: 128, depth: 16 }, thread: { rows: 8, columns: 8 }, slices: 1, start: 13, wave: 47.5 },
  { block: { rows: 64, columns: 64, depth: 32 }, thread: { rows: 8, columns: 8 }, slices: 2, start: 4, wave: 33 },
  { block: { rows: 64, columns: 64, depth: 16 }, thread: { rows: 8, columns: 4 }, slices: 1, start: 9, wave: 29 },
  { block: { rows: 128, columns: 32, depth: 16 }, thread: { rows: 8, columns: 4 }, slices: 1, start: 9, wave: 31 },
  { block: { rows: 32, columns: 128, depth: 16 }, thread: { rows: 4, columns: 8 }, slices: 1, start: 9, wave: 31 },
  { block: { rows: 64, columns: 32, depth: 16 }, thread: { rows: 4, columns: 4 }, slices: 1, start: 9, wave: 17 },
  { block: { rows: 32, columns: 64, depth: 16 }, thread: { rows: 4, columns: 4 }, slices: 1, start: 9, wave: 17 },
  { block: { rows: 128, columns: 16, depth: 16 }, thread: { rows: 8, columns: 4 }, slices: 1, start: 9, wave: 17 },
  { block: { rows: 16, columns: 128, depth: 16 }, thread: { rows: 4, columns: 8 }, slices: 1, start: 9, wave: 17 },
  { block: { rows: 64, columns: 16, depth: 16 }, thread: { rows: 4, columns: 4 }, slices: 1, start: 9, wave: 9 },
  { block: { rows: 16, columns: 64, depth: 16 }, thread: { rows: 4, columns: 4 }, slices: 1, start: 9, wave: 9 },
  { block: { rows: 32, columns: 32, depth: 64 }, thread: { rows: 4, columns: 4 }, slices: 2, start: 7, wave: 10 },
  { block: { rows: 32, columns: 32, depth: 32 }, thread: { rows: 4, columns: 4 }, slices: 2, start: 8, wave: 10 },
  { block: { rows: 16, columns: 32, depth: 64 }, thread: { rows: 4, columns: 4 }, slices: 4, start: 4, wave: 7 },
  { block: { rows: 32, columns: 16, depth: 64 }, thread: { rows: 4, columns: 4 }, slices: 4, start: 4, wave: 7 },
  { block: { rows: 16, columns: 16, depth: 128 }, thread: { rows: 8, columns: 4 }, slices: 16, start: 4, wave: 4 },
  { block: { rows: 16, columns: 16, depth: 64 }, thread: { rows: 4, columns: 4 }, slices: 8, start: 4, wave: 4 },
];
/** A device has about so many places for workgroups: blocks are computed so many at a time. */
export const PLACES = 132;
/** Positions, or their parts, come in vectors of four. */
export const LANES = 4;
/** Vectors of each thread that slices hand over at once. */
export const HANDED = 2;
/** Nanoseconds for a load of a thread when its position is finished: a few of them overlap. */
const READ = 50;
/** Sizes that are as good as it seems are compared by what a device takes for them, where that is wanted. */
const MOST_RIVALS = 4;
const RIVAL_TIME = 1.5;
/** Running sums that a thread has room for. */
const REGISTERS = 64;
/** Shorter sums do not earn back the staging. */
const SHORTEST_SUM = 16;
/** With a shorter side, and fewer blocks, other ways are better. */
const NARROW_SIDE = 24;
const FEWEST_NARROW = 64;

/** `memory` is what a workgroup's threads may share, in bytes. The one that should be fastest is the first; none where sharing does not pay. */
export function tilingsOf(nest: Nest, memory: number): Tiling[] {
  const sums = everyExpr(nest).filter((e) => e.kind === 'reduce');
  const shared = (s: Sum) => nest.stores.some(({ value }) => isAlwaysComputed(s, value));
  if (nest.stores.some((s) => s.guard) || !sums.every(shared)) return [];
  const products = sums.map((sum) => productOf(sum, nest.axes)).filter((p) => p !== undefined);
  const [first] = products;
  if (!first || products.length < sums.length || products.some((p) => p.key !== first.key)) return [];
  const { rows, columns } = first;
  if (typicalOf(rows) < SHORTEST_SIDE || typicalOf(columns) < SHORTEST_SIDE) return [];
  if (sums.every((s) => typicalOf(s.axes) < SHORTEST_SUM)) return [];
  const { families, parts } = grouped(products.map((p) => p.product));
  const batch = nest.axes.filter((a) => !rows.includes(a) && !columns.includes(a));
  const blocks = (s: TileSizes, of = typicalOf) =>
    of(batch) * Math.ceil(of(rows) / positions(s, parts, 'rows')) * Math.ceil(of(columns) / positions(s, parts, 'columns'));
  const fits = (s: TileSizes) => {
    const sums = s.thread.rows * s.thread.columns * families.length;
    return sums <= REGISTERS && Number.isInteger(positionsOf({ ...s, parts })) && bytesOf(s) <= memory;
  };
  // A step that is not full takes as long as one that is.
  const terms = ({ block: { depth } }: TileSizes) =>
    families.reduce((n, f) => n + Math.ceil(typicalOf(f.sums[0].axes) / depth) * depth, 0);
  const reads = readsBeside(nest.stores.map((s) => s.value));
  const time = (s: TileSizes) =>
    (s.start + s.wave * Math.ceil(blocks(s) / PLACES)) * terms(s) + READ * reads * positionsOf({ ...s, parts });
  const whole = (s: TileSizes): Tiling => {
    const [threads, workgroups] = [threadsOf(s), blocks(s, extentOf)];
    return { ...s, families, parts, rows, columns, batch, threads, blocks: blocks(s), workgroups };
  };
  const [best, ...others] = ranked(SIZES.filter(fits), time).map(whole);
  return best && (!isNarrow(best) || best.blocks >= FEWEST_NARROW) ? [best, ...others] : [];
}

/** Whether threads that share nothing may be as fast: a side is short. */
export const isNarrow = ({ rows, columns }: Pick<Tiling, SideName>): boolean =>
  Math.min(typicalOf(rows), typicalOf(columns)) < NARROW_SIDE;

/** Positions that a thread finishes. */
export const positionsOf = ({ thread, slices, parts }: Pick<Tiling, 'thread' | 'slices' | 'parts'>): number =>
  (thread.rows * thread.columns) / parts.room / slices;

/** Loads that are in no sum. */
function readsBeside(roots: readonly Expr[]): number {
  const seen = new Set<Expr>(roots);
  for (const e of seen) if (e.kind !== 'reduce') for (const child of children(e)) seen.add(child);
  return [...seen].filter((e) => e.kind === 'load').length;
}

/** Whether blocks end where the side does. */
export const isFilled = (tiling: Pick<Tiling, 'block' | 'parts' | SideName>, side: SideName): boolean =>
  extentOf(tiling[side]) % positions(tiling, tiling.parts, side) === 0;

/** How many parts of a position lie side by side along a side. */
export const partsAlong = ({ parts }: Pick<Tiling, 'parts'>, side: SideName): number => (parts.side === side ? parts.room : 1);

const positions = (s: Pick<TileSizes, 'block'>, parts: Parts, side: SideName): number =>
  s.block[side] / partsAlong({ parts }, side);

/** What the sum's two factors depend on; undefined for what is no sum of products of two. */
function productOf(sum: Sum, axes: readonly Axis[]) {
  const { body } = sum;
  if (sum.type !== 'float32' || sum.combiner.name !== 'sum' || body.kind !== 'call' || body.op !== multiply) return undefined;
  const [a, b] = body.args;
  if (!a || !b) return undefined;
  const only = (x: Expr, y: Expr) => axes.filter((n) => x.free.has(n.key) && !y.free.has(n.key));
  const [ofA, ofB] = [only(a, b), only(b, a)];
  const innermost = axes.findLast((n) => ofA.includes(n) || ofB.includes(n));
  const swapped = innermost !== undefined && ofA.includes(innermost);
  const [rows, columns] = swapped ? [ofB, ofA] : [ofA, ofB];
  const key = [rows, columns].map((side) => side.map((n) => n.key).join()).join(' × ');
  return { product: swapped ? { sum, rows: b, columns: a } : { sum, rows: a, columns: b }, rows, columns, key };
}

/** Vectors in one staged term of a side: one more than are used, so that threads that write one position meet different banks. */
export const pitchOf = (positions: number): number => positions / LANES + 1;

/** What is staged, and what slices hand over. */
function bytesOf(sizes: TileSizes): number {
  const { rows, columns, depth } = sizes.block;
  const vectors = (pitchOf(rows) + pitchOf(columns)) * depth + (sizes.slices > 1 ? HANDED * threadsOf(sizes) : 0);
  return vectors * LANES * 4;
}

/** Products with a factor in common as families, where all families have as many. */
function grouped(products: readonly Product[]): { families: readonly Family[]; parts: Parts } {
  for (const side of ['columns', 'rows'] as const) {
    const shared = side === 'columns' ? 'rows' : 'columns';
    const keyOf = (p: Product) => `${p[shared].id}:${p.sum.axes.map((a) => a.key).join()}:${isAlongSum(p[side], p.sum)}`;
    const groups = [...new Set(products.map(keyOf))].map((key) => products.filter((p) => keyOf(p) === key));
    const count = groups[0]?.length ?? 1;
    if (count < 2 || count > LANES || groups.some((g) => g.length !== count)) continue;
    return { families: groups.map((g) => familyOf(g, side)), parts: { side, room: count === 2 ? 2 : 4 } };
  }
  return { families: products.map((p) => familyOf([p], 'columns')), parts: { side: undefined, room: 1 } };
}

function familyOf(products: readonly Product[], side: SideName): Family {
  const [first, ...rest] = products;
  const { sum, rows, columns } = invariant(first, 'a family has a product');
  const factors = products.map((p) => p[side]);
  return { sums: [sum, ...rest.map((p) => p.sum)], rows: [rows], columns: [columns], [side]: factors };
}

/** Those that may be fastest by what the table says, which is within some tens of percent. */
export function ranked<T>(all: readonly T[], time: (each: T) => number): T[] {
  const sorted = all.toSorted((a, b) => time(a) - time(b));
  return sorted.filter((each, i) => i < MOST_RIVALS && time(each) <= RIVAL_TIME * time(sorted[0] ?? each));
}

function threadsOf({ block, thread, slices }: TileSizes): number {
  return (block.rows / thread.rows) * (block.columns / thread.columns) * slices;
}

/** All threads must meet in the sum, so it may not stand in an arm of a condition, nor in another sum. */
function isAlwaysComputed(sum: Sum, root: Expr): boolean {
  if (root === sum) return true;
  if (root.kind === 'call') return root.args.some((arg) => isAlwaysComputed(sum, arg));
  return root.kind === 'cast' && isAlwaysComputed(sum, root.value);
}

/** Whether neighbours along the sum are neighbours in memory, so that threads next to each other read them. */
export function isAlongSum(value: Expr, sum: Sum): boolean {
  const last = sum.axes.at(-1)?.key;
  const isUnitStep = ({ terms }: Index) => terms.some(({ atom, coefficient }) => atom.key === last && coefficient === 1);
  return everyUnder([value]).some((e) => e.kind === 'load' && isUnitStep(e.index));
}
