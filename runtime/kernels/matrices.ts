/**
 * @file Products of halves by a device's matrix units: a subgroup multiplies blocks of 16 × 16 at once, and adds up in float32.
 * In: a tiled product and what the device is. Out: sizes that may be best, and how each factor is staged; none where a factor is no
 * half (rounding it would give another result than eager code) or the device has no such units.
 */
import type { Target } from '../device/gpu.ts';
import { axis, divide, fromAxis, substitute, times, type Axis, type Index } from '../tensor/affine.ts';
import { everyExpr } from './axes.ts';
import type { Expr, Sum } from './expr.ts';
import { extentOf, vary } from './extents.ts';
import type { Nest } from './nest.ts';
import { isAlongSum, PLACES, ranked, type SideName, type Tiling } from './tiles.ts';

/** Rows, columns and terms of what a subgroup multiplies at once. */
export const UNIT = 16;
/** Halves that are staged as one vector, and by which lines lie further apart, so that threads meet different banks. */
export const OCTET = 8;

interface MatrixSizes {
  readonly block: { readonly rows: number; readonly columns: number; readonly depth: number };
  /** What one subgroup adds up: multiples of `UNIT`. */
  readonly part: { readonly rows: number; readonly columns: number };
  /** Nanoseconds of a term for as many blocks as a device has places for. */
  readonly wave: number;
}

/** How far loads are ahead of what is multiplied. */
interface Pace {
  /** Steps whose vectors are on their way while one is multiplied: each is a set of registers. */
  readonly ahead: number;
  /** Steps written out in a row, an even multiple of `ahead`: at a loop's end a thread waits for all that it has asked for. */
  readonly unroll: number;
}

const QUICK: Pace = { ahead: 3, unroll: 6 };
/** For halves that are read one by one: a long text, which is not written more often than it must. */
const SHORT: Pace = { ahead: 1, unroll: 2 };

/** A factor, and how a block of it lies in workgroup memory: in lines of vectors. */
export interface Staging {
  readonly name: SideName;
  readonly axes: readonly Axis[];
  readonly factor: Expr;
  /** Whether a line has the terms of one position; else it has the positions at one term. */
  readonly along: boolean;
  readonly lines: number;
  /** Vectors of a line. */
  readonly vectors: number;
  /** Where memory has whole vectors: which one, by axes of which the last counts vectors. */
  readonly octet?: { readonly buffer: number; readonly place: Index; readonly axes: readonly Axis[] };
}

export interface MatrixTiling extends MatrixSizes {
  readonly sum: Sum;
  readonly rows: Staging;
  readonly columns: Staging;
  readonly batch: readonly Axis[];
  readonly pace: Pace;
  /** Threads of a subgroup. */
  readonly subgroup: number;
  readonly threads: number;
  readonly workgroups: number;
}

/** Those that were best at some size on an H100. */
const SIZES: readonly MatrixSizes[] = [
  { block: { rows: 128, columns: 256, depth: 16 }, part: { rows: 64, columns: 64 }, wave: 32 },
  { block: { rows: 128, columns: 128, depth: 32 }, part: { rows: 32, columns: 64 }, wave: 18.5 },
  { block: { rows: 64, columns: 128, depth: 32 }, part: { rows: 32, columns: 32 }, wave: 15 },
  { block: { rows: 64, columns: 64, depth: 32 }, part: { rows: 32, columns: 32 }, wave: 10 },
  { block: { rows: 32, columns: 64, depth: 32 }, part: { rows: 16, columns: 32 }, wave: 8 },
];

/** The one that should be fastest is the first. */
export function matricesOf(nest: Nest, tiling: Tiling, { workgroupMemory, subgroup }: Target): MatrixTiling[] {
  const [family, ...others] = tiling.families;
  const [sum, ...more] = family?.sums ?? [];
  const [left] = family?.rows ?? [];
  const [right] = family?.columns ?? [];
  if (!sum || !left || !right || others.length + more.length > 0 || subgroup === undefined) return [];
  if (!isHalf(left) || !isHalf(right)) return [];
  // Its text is made for just these extents.
  if (vary([...nest.axes, ...sum.axes])) return [];
  const staging = (name: SideName, factor: Expr, { block }: MatrixSizes): Staging => {
    const along = isAlongSum(factor, sum);
    const axes = tiling[name];
    const [lines, length] = along ? [block[name], block.depth] : [block.depth, block[name]];
    return { name, axes, factor, along, lines, vectors: length / OCTET, octet: octetOf(nest, factor, along ? sum.axes : axes) };
  };
  const blocks = ({ block }: MatrixSizes) =>
    extentOf(tiling.batch) * Math.ceil(extentOf(tiling.rows) / block.rows) * Math.ceil(extentOf(tiling.columns) / block.columns);
  const whole = (s: MatrixSizes): MatrixTiling => {
    const [rows, columns] = [staging('rows', left, s), staging('columns', right, s)];
    return {
      ...s,
      sum,
      rows,
      columns,
      batch: tiling.batch,
      pace: paceOf(rows, columns),
      subgroup,
      threads: threadsOf(s, subgroup),
      workgroups: blocks(s),
    };
  };
  const time = (s: MatrixTiling) => s.wave * Math.ceil(s.workgroups / PLACES);
  return ranked(
    SIZES.map(whole).filter((s) => bytesOf(s) <= workgroupMemory && isShared(s)),
    time,
  );
}

const paceOf = (rows: Staging, columns: Staging): Pace => (rows.octet && columns.octet ? QUICK : SHORT);

/** The same, where some buffers are read one half after the other. */
export function inHalves(tiling: MatrixTiling, isSo: (buffer: number) => boolean): MatrixTiling {
  const side = (s: Staging): Staging => (s.octet && isSo(s.octet.buffer) ? { ...s, octet: undefined } : s);
  const [rows, columns] = [side(tiling.rows), side(tiling.columns)];
  return { ...tiling, rows, columns, pace: paceOf(rows, columns) };
}

const threadsOf = ({ block, part }: MatrixSizes, subgroup: number): number =>
  (block.rows / part.rows) * (block.columns / part.columns) * subgroup;

/** Each thread stages as many vectors of a factor as any other. */
const isShared = ({ rows, columns, threads }: MatrixTiling): boolean =>
  [rows, columns].every(({ lines, vectors }) => (lines * vectors) % threads === 0);

/** From one line to the next, in vectors. */
export const pitchOf = ({ vectors }: Staging): number => vectors + 1;

/** Two buffers of both factors, and what subgroups hand to their threads in the end. */
function bytesOf({ rows, columns, threads, subgroup }: MatrixTiling): number {
  const vectors = pitchOf(rows) * rows.lines + pitchOf(columns) * columns.lines;
  return 2 * vectors * OCTET * 2 + (threads / subgroup) * UNIT * UNIT * 4;
}

/** Whether its values are halves, in whatever type it has. */
function isHalf(e: Expr): boolean {
  if (e.kind === 'load') return e.type === 'float16';
  if (e.kind === 'cast') return e.type === 'float16' || (e.type === 'float32' && isHalf(e.value));
  if (e.kind === 'select') return isHalf(e.yes) && isHalf(e.no);
  return e.kind === 'literal' && e.value === 0;
}

/** The vector behind a factor, if eight neighbours along the axes are a whole one in memory, and nothing else reads that. */
function octetOf(nest: Nest, factor: Expr, axes: readonly Axis[]): Staging['octet'] {
  const load = factor.kind === 'cast' ? factor.value : factor;
  const last = axes.at(-1);
  if (load.kind !== 'load' || load.type !== 'float16' || !last || last.extent % OCTET !== 0) return undefined;
  const alone = everyExpr(nest).every((e) => e.kind !== 'load' || e === load || e.buffer !== load.buffer);
  const written = nest.stores.some((s) => s.buffer === load.buffer);
  if (!alone || written || !isWhole(load.index, last)) return undefined;
  const counted = axis(`${last.key}_of`, last.extent / OCTET);
  const index = substitute(load.index, (a) => (a.key === last.key ? times(fromAxis(counted), OCTET) : undefined));
  return { buffer: load.buffer, place: divide(index, OCTET), axes: [...axes.slice(0, -1), counted] };
}

const isWhole = ({ terms, constant }: Index, last: Axis): boolean =>
  constant % OCTET === 0 &&
  terms.some(({ atom, coefficient }) => atom.key === last.key && coefficient === 1) &&
  terms.every(({ atom, coefficient }) => atom.kind === 'axis' && (atom.key === last.key || coefficient % OCTET === 0));
