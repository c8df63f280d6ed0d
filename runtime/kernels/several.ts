/**
 * @file Several positions to a thread: what they read alike is loaded once, and several loads are under way. In: a nest whose
 * elements are a thread's each. Out: forms of it, in which a thread writes some positions out; the first should be the fastest, and
 * which one is depends on registers and caches that nobody tells about, so that a GPU may try the others.
 */
import type { Axis, Index } from '../tensor/affine.ts';
import { everyExpr, everyUnder, outermostSums, writeOut } from './axes.ts';
import type { DeviceKind } from '../profile/model.ts';
import type { Load } from './expr.ts';
import { typicalOf, vary } from './extents.ts';
import type { Nest } from './nest.ts';
import { QUAD, quadsAlong } from './quads.ts';

export interface Form {
  readonly nest: Nest;
  /** Positions of a thread, and threads of a workgroup. */
  readonly count: number;
  readonly threads: number;
  readonly quads?: ReadonlySet<number>;
}

const THREADS = 64;
/** Without sums there is little to do between load and store: larger workgroups. */
const STREAMING_THREADS = 256;
const STREAMING_POSITIONS = 1 << 18;

interface Limits {
  /** Fewer threads than this leave a device idle; forms shrink before that. */
  readonly threads: number;
  /** Positions along the axis that saves most loads. */
  readonly rows: number;
  /** Along another one, by how many there are along the first: what should be best, and what may be. */
  readonly columns: (rows: number) => readonly number[];
  /** Threads of a workgroup: the same. */
  readonly sizes: readonly number[];
}

/** Of a GPU by what was fastest of some sixty forms of twelve products on an H100; a CPU has few registers. */
const LIMITS: Readonly<Record<DeviceKind, Limits>> = {
  gpu: { threads: 1 << 14, rows: 16, columns: (rows) => (rows >= 8 ? [1, 4] : [4, 8]), sizes: [THREADS, 256] },
  software: { threads: 1 << 8, rows: 4, columns: () => [4], sizes: [THREADS] },
  reference: { threads: 1, rows: 1, columns: () => [1], sizes: [THREADS] },
};

/** For a nest with sums: positions along axes that loads of the sums do not depend on, or along which windows overlap. */
export function summing(nest: Nest, device: DeviceKind): readonly [Form, ...Form[]] {
  const bodies = everyUnder(outermostSums(nest.stores.map((s) => s.value)).map((s) => s.body));
  const loads = bodies.filter((e) => e.kind === 'load');
  const one: Form = { nest, count: 1, threads: THREADS };
  if (loads.length < 2) return [one];
  const { threads, rows: most, columns: choices, sizes } = LIMITS[device];
  const spare = Math.max(1, Math.floor(typicalOf(nest.axes) / threads));
  const { first, second } = axesOf(nest, loads);
  const rows = first ? fitting(first, Math.min(most, spare)) : 1;
  const wide = first && rows > 1 ? writeOut(nest, first, rows) : nest;
  const limits = second ? choices(rows).map((n) => fitting(second, Math.min(n, Math.floor(spare / rows)))) : [1];
  const forms = [...new Set(limits)].flatMap((columns): Form[] => {
    // Beside each other, where that leaves neighbouring threads neighbours in memory: what windows share is loaded once.
    const tiled = second && columns > 1 ? writeOut(wide, second, columns, second !== nest.axes.at(-1)) : wide;
    const count = tiled.stores.length / nest.stores.length;
    return sizes.map((size) => ({ nest: tiled, count, threads: size }));
  });
  const [best = one, ...others] = forms;
  return [best, ...others.filter((f) => f.count > 1)];
}

/** Positions of a workgroup that shares their sums, and how many workgroups keep a device busy. */
const MOST_SHARED = 16;
const FEWEST_SHARED = 256;

/** For a nest whose long sums a workgroup shares: whole axes, the shortest first, on which some loads of the sums do not depend. */
export function sharing(nest: Nest): Nest {
  const loads = everyUnder(everyExpr(nest).flatMap((e) => (e.kind === 'reduce' ? [e.body] : []))).filter(
    (e) => e.kind === 'load',
  );
  const saved = nest.axes.filter((a) => !vary([a]) && loads.some((l) => !l.free.has(a.key)));
  let current = nest;
  let count = 1;
  for (const a of saved.toSorted((x, y) => x.extent - y.extent)) {
    if (count * a.extent > MOST_SHARED || typicalOf(nest.axes) < count * a.extent * FEWEST_SHARED) break;
    current = writeOut(current, a, a.extent);
    count *= a.extent;
  }
  return current;
}

/** The axis that loads of most elements do not depend on, and one along which windows overlap, or that shares other loads. */
function axesOf(nest: Nest, loads: readonly Load[]): { readonly first?: Axis; readonly second?: Axis } {
  const shared = (a: Axis) => loads.filter((l) => !l.free.has(a.key));
  const covered = (l: Load) => typicalOf(nest.axes.filter((a) => l.free.has(a.key)));
  const saved = (a: Axis) => shared(a).reduce((sum, l) => sum + covered(l), 0);
  const order = nest.axes
    .filter((a) => shared(a).length > 0)
    .sort((a, b) => saved(b) - saved(a) || typicalOf([a]) - typicalOf([b]));
  const windows = nest.axes.filter((a) => loads.some((l) => overlaps(l.index, a, nest.axes)));
  const [most] = order;
  const first = most && !windows.includes(most) ? most : undefined;
  // The innermost axis keeps threads next to each other in memory.
  const inner = nest.axes.at(-1);
  const window = windows.findLast((a) => a !== inner) ?? windows.at(-1);
  const other = order.find((a) => a !== first && shared(a).some((l) => !first || !shared(first).includes(l)));
  return { first, second: window ?? other };
}

/** Whether a position reads elements that the next one along the axis reads too: a step of it is some steps along a sum. */
function overlaps({ terms }: Index, along: Axis, axes: readonly Axis[]): boolean {
  const step = terms.find(({ atom }) => atom.key === along.key)?.coefficient;
  return terms.some(({ atom, coefficient }) => {
    if (step === undefined || atom.kind !== 'axis' || axes.some((a) => a.key === atom.key)) return false;
    return step % coefficient === 0 && Math.abs(step / coefficient) < atom.extent;
  });
}

/** For a nest without: four positions, side by side where all it accesses is, else far apart so that threads are neighbours. */
export function streaming(nest: Nest, inQuads: boolean): Form {
  const one: Form = { nest, count: 1, threads: STREAMING_THREADS };
  // Segments of several positions would be as many loops.
  if (typicalOf(nest.axes) < STREAMING_POSITIONS || everyExpr(nest).some((e) => e.kind === 'segment')) return one;
  const last = nest.axes.at(-1);
  const quads = inQuads && last ? quadsAlong(nest, [last]) : undefined;
  if (quads && last) return { ...one, nest: writeOut(nest, last, QUAD, true), count: QUAD, quads };
  const fixed = nest.axes.filter((a) => !vary([a]));
  const along = fixed.find((a) => a.extent % QUAD === 0) ?? fixed.find((a) => a.extent >= 4 * QUAD);
  return along ? { ...one, nest: writeOut(nest, along, QUAD), count: QUAD } : one;
}

/** The largest power of two (or the whole extent, if it does not vary) that is at most `limit`. */
function fitting({ extent, typical }: Axis, limit: number): number {
  if (typical === undefined && extent <= limit) return extent;
  return 2 ** Math.floor(Math.log2(Math.max(1, Math.min(limit, typical ?? limit))));
}
