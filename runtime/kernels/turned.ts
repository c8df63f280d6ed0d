/**
 * @file Loads across memory: threads next to each other store neighbours, and read what lies far apart, as a transposed copy does. In:
 * a nest without sums. Out: the axis along which they store and the one along which such loads are contiguous; a workgroup takes a
 * square of both, reads the loads along the one into its memory, and then stores along the other. Nothing but indices says where.
 */
import { collectAxes, fromAxis, plus, times, type Axis, type Condition, type Index } from '../tensor/affine.ts';
import type { Target } from '../device/gpu.ts';
import { everyExpr, everyUnder, replaceAxes, writeOut } from './axes.ts';
import { children, type Expr, type Load } from './expr.ts';
import { extentOf, typicalOf } from './extents.ts';
import type { Nest } from './nest.ts';

/** Positions along each side of a workgroup's square, those of a thread below each other, and the threads. */
export const SIDE = 32;
export const EACH = 4;
export const DOWN = SIDE / EACH;
export const TURN_THREADS = SIDE * DOWN;
/** Rows in workgroup memory lie one element further apart, so that neighbours in a column are in different banks. */
export const PITCH = SIDE + 1;
const BYTES = SIDE * PITCH * 4;
/** More would leave room for few workgroups beside each other. */
const MOST_BYTES = 16384;
/** Fewer positions are a matter of microseconds. */
const ENOUGH = 1 << 18;
/** Neighbours that are nearer share what a device reads at once. */
const FAR = 8;

/** An arm of a choice. */
export interface Arm {
  readonly when: Condition;
  readonly holds: boolean;
}

export interface TurnedLoad {
  readonly load: Load;
  /** Arms in each other that it stands in: elsewhere its index may be outside. */
  readonly under: readonly Arm[];
  /** What it is at each position of a thread. */
  readonly each: readonly Expr[];
}

export interface TurnPlan {
  /** With the positions of a thread written out. */
  readonly nest: Nest;
  /** What turned loads are contiguous along, and the axis of its fours, each of which is a thread's. */
  readonly rows: Axis;
  readonly fours: Axis;
  /** What stores are contiguous along. */
  readonly columns: Axis;
  readonly batch: readonly Axis[];
  readonly loads: readonly TurnedLoad[];
  readonly workgroups: number;
}

export function turnOf(nest: Nest, { kind, workgroupMemory }: Target): TurnPlan | undefined {
  const exprs = everyExpr(nest);
  if (kind !== 'gpu' || typicalOf(nest.axes) < ENOUGH || nest.stores.some((s) => s.guard)) return undefined;
  if (exprs.some((e) => e.kind === 'reduce' || e.kind === 'segment')) return undefined;
  const long = nest.axes.filter((a) => typicalOf([a]) >= SIDE);
  const columns = long.find((a) => nest.stores.every((s) => stepAlong(s.index, a) === 1));
  if (!columns) return undefined;
  const under = armsOf(nest);
  const loads = exprs.flatMap((e) => {
    const arms = under.get(e);
    return e.kind === 'load' && arms && arms !== 'several' && isKnown(e, arms, nest.axes) ? [{ load: e, under: arms }] : [];
  });
  const turned = (rows: Axis) => loads.filter(({ load }) => isTurned(load.index, rows, columns));
  const [rows] = long.filter((a) => a !== columns).sort((a, b) => turned(b).length - turned(a).length);
  if (!rows || turned(rows).length === 0) return undefined;
  const written = writeOut(nest, rows, EACH, true);
  const fours = written.axes.find((a) => !nest.axes.includes(a));
  if (!fours) return undefined;
  const at = Array.from({ length: EACH }, (_, i) => {
    const place = plus(times(fromAxis(fours), EACH), i);
    return replaceAxes(nest.builder, (a) => (a.key === rows.key ? place : undefined));
  });
  const room = Math.floor(Math.min(MOST_BYTES, workgroupMemory) / BYTES);
  const eachOf = (load: Load) => at.map((visit) => visit(load));
  const several = sharedBy(exprs.flatMap((e) => (e.kind === 'load' ? [eachOf(e)] : [])));
  const staged = turned(rows)
    .map((t) => ({ ...t, each: eachOf(t.load) }))
    .filter(({ each }) => !each.some((e) => several.has(e)))
    .slice(0, room);
  if (staged.length === 0) return undefined;
  const batch = nest.axes.filter((a) => a !== rows && a !== columns);
  return {
    nest: written,
    rows,
    fours,
    columns,
    batch,
    loads: staged,
    workgroups: extentOf(batch) * Math.ceil(rows.extent / SIDE) * Math.ceil(columns.extent / SIDE),
  };
}

/**
 * What several loads read, one at a position and one at its neighbour. Such are not staged: behind the end, or in another arm, what
 * is staged for the one is not what the other needs.
 */
function sharedBy(loads: readonly (readonly Expr[])[]): ReadonlySet<Expr> {
  const seen = new Set<Expr>();
  return new Set(loads.flatMap((each) => each.filter((e) => seen.has(e) || !seen.add(e))));
}

function isTurned(index: Index, rows: Axis, columns: Axis): boolean {
  return Math.abs(stepAlong(index, rows)) === 1 && Math.abs(stepAlong(index, columns)) >= FAR;
}

/** How far a step of the axis goes; NaN where that differs from place to place. */
function stepAlong({ terms }: Index, along: Axis): number {
  const inside = new Map<string, Axis>();
  for (const { atom } of terms) if (atom.kind !== 'axis') collectAxes(atom.of, inside);
  return inside.has(along.key) ? NaN : (terms.find((t) => t.atom.key === along.key)?.coefficient ?? 0);
}

/** Whether it needs no other axis than those of the nest: nothing that is looked up. */
function isKnown({ free }: Load, arms: readonly Arm[], axes: readonly Axis[]): boolean {
  const found = new Map(free);
  for (const { index } of arms.flatMap((a) => a.when.tests)) collectAxes(index, found);
  return [...found.keys()].every((key) => axes.some((a) => a.key === key));
}

type Under = readonly Arm[] | 'several';

/** The arms that each expression stands in, where it does so in one place, or in none of them in some. */
function armsOf(nest: Nest): ReadonlyMap<Expr, Under> {
  const roots = nest.stores.map((s) => s.value);
  const found = new Map<Expr, Under>(roots.map((r) => [r, []]));
  const key = (under: Under) => (under === 'several' ? under : under.map((a) => `${a.holds}${a.when.key}`).join(';'));
  const add = (expr: Expr, under: Under) => {
    const before = found.get(expr) ?? under;
    const least = [before, under].find((u) => u.length === 0);
    found.set(expr, least ?? (key(before) === key(under) ? under : 'several'));
  };
  // Those that need an expression come before it.
  for (const expr of everyUnder(roots).reverse()) {
    const under = found.get(expr) ?? [];
    const within = (holds: boolean, when: Condition): Under => (under === 'several' ? under : [...under, { when, holds }]);
    if (expr.kind === 'select') {
      add(expr.yes, within(true, expr.when));
      add(expr.no, within(false, expr.when));
    } else for (const child of children(expr)) add(child, under);
  }
  return found;
}
