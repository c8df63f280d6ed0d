/**
 * @file How a loop nest is spread over threads. In: a nest and what the device is. Out: the nest, possibly with several
 * positions to a thread, and one of the ways to run it: a thread for each position; a workgroup for one position or some
 * neighbours, whose threads share the sums; a workgroup for a block of positions, whose threads share what they read, or read it
 * turned; a walk over what weighted sums go over. The choice follows from extents and from which loads do not change along which axis.
 */
import { constant, type Axis } from '../tensor/affine.ts';
import { everyExpr, replaceAxes, splitAxes } from './axes.ts';
import type { Target } from '../device/gpu.ts';
import { collapseAxes } from './collapse.ts';
import type { DeviceKind } from '../profile/model.ts';
import type { Expr } from './expr.ts';
import { extentOf, typicalOf, vary } from './extents.ts';
import { inHalves, matricesOf, type MatrixTiling } from './matrices.ts';
import type { Nest } from './nest.ts';
import { onlineOf } from './online.ts';
import { reroll } from './reroll.ts';
import { planRows, rowsOf, type RowPlan, type Rows } from './rows.ts';
import { planScans, scansOf, type ScanPlan } from './scans.ts';
import { sharing, streaming, summing, type Form } from './several.ts';
import { sharesOf, type SharePlan } from './share.ts';
import { isNarrow, tilingsOf, type Tiling } from './tiles.ts';
import { EACH, turnOf, TURN_THREADS, type TurnPlan } from './turned.ts';
import { walksOf, type Walk } from './walk.ts';

export interface Schedule {
  readonly kind:
    | 'thread per element'
    | 'thread per row'
    | 'workgroup per element'
    | 'workgroup per columns'
    | 'workgroup per row'
    | 'workgroup per rows'
    | 'workgroup per block'
    | 'workgroup per turned block';
  readonly nest: Nest;
  readonly workgroupSize: number;
  /** Summed axes that are written out instead of looped over. */
  readonly unrolled: ReadonlySet<string>;
  /** Positions that one thread computes. */
  readonly tile: number;
  /** How a workgroup shares the factors of its block of positions. */
  readonly tiling?: Tiling;
  /** The same by matrix units. */
  readonly matrices?: MatrixTiling;
  readonly rows?: RowPlan;
  /** How a workgroup goes over rows, each position of which needs those before it. */
  readonly scan?: ScanPlan;
  /** How it goes over keys once. */
  readonly walk?: Walk;
  /** How a workgroup shares sums. */
  readonly share?: SharePlan;
  /** What a workgroup reads along memory, and then stores along another axis. */
  readonly turn?: TurnPlan;
  /** Buffers that are accessed in vectors of four. */
  readonly quads?: ReadonlySet<number>;
  /** Buffers of which all threads read one element at a time, and how many elements that may be. */
  readonly uniforms?: ReadonlyMap<number, number>;
}

/** Sums of up to this many terms are written out, if the kernel stays below so many terms in all: text takes time to compile. */
const UNROLLED_SUM = 32;
const UNROLLED_TERMS: Readonly<Record<DeviceKind, number>> = { gpu: 1024, software: 128, reference: 0 };
/** Fewer blocks than this leave most of a GPU idle: then sharing sums is better, though no reads are shared. */
const ENOUGH_BLOCKS = 16;

/** With a short side and shorter sums threads that share nothing are faster, on the whole. */
const LONG_SUM = 160;

/** Of a nest that is `rewritten`; in vectors of four elements where `quads` are allowed. */
export function schedule(nest: Nest, target: Target, quads = true): Schedule {
  const [first] = schedules(nest, target, quads);
  return first;
}

/** The one that should be fastest, and others that may be faster. */
export function schedules(nest: Nest, target: Target, quads = true): readonly [Schedule, ...Schedule[]] {
  const { kind: device, workgroupMemory } = target;
  const scans = scansOf(nest);
  if (scans) {
    const scan = planScans(scans, nest, device);
    const unrolled = unrolledAxes(nest, UNROLLED_TERMS[device]);
    return [{ kind: 'workgroup per row', nest, workgroupSize: scan.lanes * scan.together, unrolled, tile: 1, scan }];
  }
  const online = onlineOf(nest);
  const walks = online && walksOf(online, target);
  if (typeof walks === 'object') {
    const [walk, ...others] = walks;
    return [byKeys(walk), ...others.map(byKeys)];
  }
  const rows = rowsOf(nest);
  if (rows) return [byRows(rows, device, quads)];
  const turn = turnOf(nest, target);
  if (turn) return [byTurns(turn), ...byElements(nest, device, quads)];
  // The few cores of a CPU have caches and no memory of workgroups: staging would only be more work.
  const tilings = device === 'gpu' ? tilingsOf(nest, workgroupMemory) : [];
  const shares = (tilings[0]?.blocks ?? 0) < ENOUGH_BLOCKS ? sharesOf(nest, device) : [];
  const [first, ...rest] = [...shares.map((s) => byShare(nest, s)), ...byBlocks(nest, tilings, target)];
  const several = tilings.length === 0 && !shares.some((s) => s.columns > 1) ? bySharing(nest, device) : undefined;
  if (several) return [several, ...(first ? [first] : byElements(nest, device, quads))];
  if (!first) return byElements(nest, device, quads);
  if (!tilings.some(isNarrow)) return [first, ...rest];
  const [alone, ...others] = byElements(nest, device, quads);
  return longestSum(nest) < LONG_SUM ? [alone, ...others.slice(0, 2), first] : [first, ...rest.slice(0, 2), alone];
}

function byShare(nest: Nest, share: SharePlan, tile = 1): Schedule {
  const { columns, lanes } = share;
  const kind = columns === 1 ? 'workgroup per element' : 'workgroup per columns';
  return { kind, nest, workgroupSize: columns * lanes, unrolled: new Set(), tile, share };
}

/** With several positions: what those read alike is loaded once, though there are too few for as many threads. */
function bySharing(nest: Nest, device: DeviceKind): Schedule | undefined {
  if (device !== 'gpu') return undefined;
  const several = sharing(nest);
  const tile = several.stores.length / nest.stores.length;
  const [share] = tile > 1 ? sharesOf(several, device) : [];
  return share?.columns === 1 ? byShare(several, share, tile) : undefined;
}

function byBlocks(nest: Nest, tilings: readonly Tiling[], target: Target): Schedule[] {
  const [tiling] = tilings;
  const byUnits = tiling && !isNarrow(tiling) ? matricesOf(nest, tiling, target) : [];
  const whole = { kind: 'workgroup per block', nest, unrolled: new Set<string>() } as const;
  if (byUnits.length > 0)
    return byUnits.map((matrices) => {
      const { threads, block } = matrices;
      return { ...whole, workgroupSize: threads, tile: (block.rows * block.columns) / threads, matrices };
    });
  return tilings.map((tiling) => {
    const { threads, thread, parts } = tiling;
    return { ...whole, workgroupSize: threads, tile: (thread.rows * thread.columns) / parts.room, tiling };
  });
}

function byElements(nest: Nest, device: DeviceKind, quads: boolean): readonly [Schedule, ...Schedule[]] {
  const sums = everyExpr(nest).some((e) => e.kind === 'reduce');
  // Threads next to each other would read terms far apart; the few of a CPU do not mind.
  const lone = device === 'gpu' && sums ? rowsOf(nest, true) : undefined;
  if (lone?.along) return [byRows(lone, device, quads)];
  const [first, ...rest] = sums ? summing(nest, device) : [streaming(nest, quads)];
  const whole = ({ nest, threads: workgroupSize, count: tile, quads }: Form): Schedule => {
    return { kind: 'thread per element', nest, workgroupSize, unrolled: unrolledAxes(nest, UNROLLED_TERMS[device]), tile, quads };
  };
  return [whole(first), ...rest.map(whole)];
}

function byTurns(turn: TurnPlan): Schedule {
  const { nest } = turn;
  return { kind: 'workgroup per turned block', nest, workgroupSize: TURN_THREADS, unrolled: new Set(), tile: EACH, turn };
}

function byRows(rows: Rows, device: DeviceKind, inQuads: boolean): Schedule {
  const plan = planRows(rows, device, inQuads);
  const { nest, lanes, together, quads } = plan;
  const unrolled = unrolledAxes(nest, UNROLLED_TERMS[device]);
  return { kind: 'workgroup per row', nest, workgroupSize: lanes * together, unrolled, tile: 1, rows: plan, quads };
}

function byKeys(walk: Walk): Schedule {
  const { nest, kind, threads: workgroupSize } = walk;
  const common = { nest, workgroupSize, unrolled: new Set<string>(), walk };
  if (kind === 'alone') return { ...common, kind: 'thread per row', tile: walk.rowsTogether };
  return { ...common, kind: 'workgroup per rows', tile: (walk.block.rows * walk.width) / workgroupSize };
}

const longestSum = (nest: Nest): number =>
  Math.max(0, ...everyExpr(nest).map((e) => (e.kind === 'reduce' ? typicalOf(e.axes) : 0)));

/** Workgroups that run it. */
export function workgroupsOf(schedule: Schedule): number {
  const { nest, rows, scan, tiling, matrices, share, walk, turn, workgroupSize } = schedule;
  if (turn) return turn.workgroups;
  if (walk) return walk.workgroups;
  if (matrices) return matrices.workgroups;
  if (tiling) return tiling.workgroups;
  if (share) return extentOf(share.before) * share.blocks;
  if (scan) return Math.ceil(extentOf(scan.rows) / scan.together);
  const positions = extentOf(nest.axes);
  return Math.ceil(positions / (rows ? rows.together : workgroupSize));
}

/** The same for these bindings: vectors of eight are read where all of a binding is. */
export function asBound(plan: Schedule, slots: readonly number[]): Schedule {
  const octets = octetsOf(plan);
  const isOther = (buffer: number) => slots.some((slot, b) => slot === slots[buffer] && !octets.includes(b));
  return plan.matrices ? { ...plan, matrices: inHalves(plan.matrices, isOther) } : plan;
}

const octetsOf = ({ matrices }: Schedule) => [matrices?.rows.octet?.buffer, matrices?.columns.octet?.buffer];

/** In what vectors it accesses a binding that holds these of its buffers. */
export function vectorOf(plan: Schedule, buffers: readonly number[]): 'quad' | 'octet' | undefined {
  const octets = octetsOf(plan);
  if (buffers.every((b) => octets.includes(b))) return 'octet';
  return buffers.every((b) => plan.quads?.has(b)) ? 'quad' : undefined;
}

/** The same with workgroups of `size` threads; undefined where they have the size that they need. */
export function resized(schedule: Schedule, size: number): Schedule | undefined {
  const { kind, rows, scan, workgroupSize } = schedule;
  if (size === workgroupSize) return schedule;
  if (scan && size % scan.lanes === 0)
    return { ...schedule, workgroupSize: size, scan: { ...scan, together: size / scan.lanes } };
  if (kind === 'thread per element') return { ...schedule, workgroupSize: size };
  if (!rows || size % rows.lanes !== 0) return undefined;
  return { ...schedule, workgroupSize: size, rows: { ...rows, together: size / rows.lanes } };
}

/** The nest in the form that schedules are chosen for. */
export function rewritten(lowered: Nest): Nest {
  return collapseAxes(splitAxes(reroll(lowered)));
}

/** The summed axes that are short enough to be written out, innermost first, while the kernel stays small. */
function unrolledAxes(nest: Nest, most: number): ReadonlySet<string> {
  const names = new Set<string>();
  const sums = everyExpr(nest).filter((e) => e.kind === 'reduce');
  let terms = sums.length;
  const axes = new Map(sums.flatMap((s) => [...s.axes].reverse().map((a) => [a.key, a] as const)));
  let each = 1;
  for (const a of axes.values()) {
    if (vary([a]) || each * a.extent > UNROLLED_SUM || terms * a.extent > most) continue;
    terms *= a.extent;
    each *= a.extent;
    names.add(a.key);
  }
  return names;
}

/** The expression at one position of `a`. */
export function atPosition(nest: Nest, a: Axis, position: number): (expr: Expr) => Expr {
  return replaceAxes(nest.builder, (x) => (x.key === a.key ? constant(position) : undefined));
}
