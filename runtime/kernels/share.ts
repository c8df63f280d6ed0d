/**
 * @file Sums that the threads of a workgroup share. In: a nest and what the device is. Out: how many neighbouring positions a
 * workgroup has, its columns, and how many of its threads share the sums of each; undefined where each thread is better
 * alone. All threads of a workgroup meet in every sum, so none may stand under a condition that differs between them.
 */
import { collectAxes, type Axis, type Condition, type Index } from '../tensor/affine.ts';
import type { DeviceKind } from '../profile/model.ts';
import { everyExpr, everyUnder } from './axes.ts';
import { children, type Expr, type Sum } from './expr.ts';
import { extentOf, typicalOf } from './extents.ts';
import type { Nest } from './nest.ts';

export interface SharePlan {
  /** Neighbouring positions of a workgroup: a power of two. */
  readonly columns: number;
  /** Threads that share the sums of one column: a power of two. */
  readonly lanes: number;
  /** The axes that its columns lie along; those before them are the same for all its threads. */
  readonly across: readonly Axis[];
  readonly before: readonly Axis[];
  /** Workgroups along `across`, the last of which may have fewer columns. */
  readonly blocks: number;
  /** Terms that a thread reads at once. */
  readonly written: number;
}

const THREADS = 256;
/** Shorter sums are not worth the meeting. */
const LONG_SUM = 128;
/** Positions below which a workgroup computes each; the few cores of a CPU are busy with far fewer. */
const ALONE_POSITIONS: Readonly<Record<DeviceKind, number>> = { gpu: 16384, software: 16, reference: 0 };
/** Positions below which a workgroup computes several columns. A CPU's threads wait for no memory, and lose by meeting. */
const COLUMN_POSITIONS: Readonly<Record<DeviceKind, number>> = { gpu: 65536, software: 0, reference: 0 };
/** Memory is read in pieces of 8 neighbours or more; the more columns, the fewer workgroups. */
const COLUMNS: readonly number[] = [32, 16];
const FEWEST_COLUMNS = 8;
/** Several loads under way in a thread, unless there are so many sums that their text is long; a CPU gains little. */
const WRITTEN: Readonly<Record<DeviceKind, number>> = { gpu: 4, software: 1, reference: 1 };
const WRITTEN_SUMS = 64;
/** Workgroups that keep a device busy: 512 of 8 columns took half as long as 128 of 32 on an H100. */
const BUSY = 512;

/** The plan that should be the fastest, and one with more workgroups, which may be; none where threads are better alone. */
export function sharesOf(nest: Nest, device: DeviceKind): readonly SharePlan[] {
  const sums = everyExpr(nest).filter((e) => e.kind === 'reduce');
  const positions = typicalOf(nest.axes);
  const longest = Math.max(1, ...sums.map((s) => typicalOf(s.axes)));
  if (longest < LONG_SUM) return [];
  const written = sums.length <= WRITTEN_SUMS ? WRITTEN[device] : 1;
  if (positions < COLUMN_POSITIONS[device] && liesAcross(nest, sums)) {
    const columns = COLUMNS.find((c) => positions >= c * BUSY) ?? FEWEST_COLUMNS;
    const plans = [...new Set([columns, FEWEST_COLUMNS])].map((c) => planOf(nest, c, written));
    if (plans.every((plan) => meets(nest, plan.before))) return plans;
  }
  const few = positions < ALONE_POSITIONS[device] && longest > positions / 64;
  return few && meets(nest, nest.axes) ? [planOf(nest, 1, written)] : [];
}

function planOf({ axes }: Nest, columns: number, written: number): SharePlan {
  let first = axes.length;
  while (first > 0 && typicalOf(axes.slice(first)) < columns) first--;
  const [before, across] = [axes.slice(0, first), axes.slice(first)];
  return { columns, lanes: THREADS / columns, before, across, blocks: Math.ceil(extentOf(across) / columns), written };
}

/** Whether neighbours in memory are neighbouring positions, and not neighbouring terms of a sum. */
function liesAcross({ axes }: Nest, sums: readonly Sum[]): boolean {
  const ends = new Set(sums.map((s) => s.axes.at(-1)?.key));
  const last = axes.at(-1);
  const loads = everyUnder(sums.map((s) => s.body)).flatMap((e) =>
    e.kind === 'load' && last && e.free.has(last.key) ? [e.index] : [],
  );
  const isAlong = ({ terms }: Index) => terms.some((t) => t.coefficient === 1 && ends.has(t.atom.key));
  return loads.some((index) => neighbours(index, axes) >= FEWEST_COLUMNS) && !loads.some(isAlong);
}

/** How many neighbouring positions are neighbours in memory. */
function neighbours({ terms }: Index, axes: readonly Axis[]): number {
  let [run, usual] = [1, 1];
  for (const a of axes.toReversed()) {
    if (terms.find((t) => t.atom.key === a.key)?.coefficient !== run) break;
    run *= a.extent;
    usual *= typicalOf([a]);
  }
  return usual;
}

/** Whether no sum stands in another, or under a condition that differs between positions alike in `same`. */
function meets(nest: Nest, same: readonly Axis[]): boolean {
  const known = new Set(same.map((a) => a.key));
  const holding = new Set<Expr>();
  for (const expr of everyExpr(nest)) {
    const holds = children(expr).some((c) => holding.has(c));
    if (holds && expr.kind === 'reduce') return false;
    if (holds && expr.kind === 'select' && !isKnown(expr.when, known)) return false;
    if (holds || expr.kind === 'reduce') holding.add(expr);
  }
  return holding.size > 0;
}

function isKnown({ tests }: Condition, known: ReadonlySet<string>): boolean {
  const axes = new Map<string, Axis>();
  for (const { index } of tests) collectAxes(index, axes);
  return [...axes.keys()].every((key) => known.has(key));
}
