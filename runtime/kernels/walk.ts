/**
 * @file How a walk over keys is spread over threads. In: what the walk needs, and what the device is. Out: on a GPU, blocks of rows
 * and of keys that a workgroup computes together; on a CPU a thread for each row; or why the walk is not worth it or does not fit.
 */
import type { Target } from '../device/gpu.ts';
import { extentOf } from './extents.ts';
import { everyUnder } from './axes.ts';
import type { Online } from './online.ts';
import { LANES, pitchOf, PLACES, ranked } from './tiles.ts';

interface WalkSizes {
  /** Rows, keys, and terms that are staged at once. */
  readonly block: { readonly rows: number; readonly keys: number; readonly depth: number };
  /** Scores of a thread: multiples of 4. The threads of a row are as many as a block's keys need, and share its columns. */
  readonly thread: { readonly rows: number; readonly keys: number };
  /** Nanoseconds for a product of a key with one feature, for as many blocks as a device has places for: as of products. */
  readonly wave: number;
}

/** A workgroup computes a block of rows, block by block of keys. */
export interface BlockWalk extends Online, WalkSizes {
  readonly kind: 'blocks';
  /** Threads that share a row, and that share a key. */
  readonly across: number;
  readonly down: number;
  readonly threads: number;
  /** Columns that the threads of a row have room for. */
  readonly width: number;
  readonly workgroups: number;
}

/** A thread computes some rows, several keys at once. */
export interface RowWalk extends Online {
  readonly kind: 'alone';
  readonly rowsTogether: number;
  readonly keysTogether: number;
  readonly threads: number;
  readonly workgroups: number;
}

export type Walk = BlockWalk | RowWalk;

/**
 * Those that were best for some shape among 78 on an H100; `wave` is fitted to what they took there. What counts is workgroup memory:
 * the more a block takes, the fewer run beside each other.
 */
export const SIZES: readonly WalkSizes[] = [
  { block: { rows: 128, keys: 64, depth: 8 }, thread: { rows: 8, keys: 8 }, wave: 1.39 },
  { block: { rows: 64, keys: 64, depth: 8 }, thread: { rows: 8, keys: 4 }, wave: 0.65 },
  { block: { rows: 64, keys: 64, depth: 8 }, thread: { rows: 4, keys: 8 }, wave: 0.65 },
  { block: { rows: 64, keys: 128, depth: 16 }, thread: { rows: 4, keys: 8 }, wave: 0.66 },
  { block: { rows: 64, keys: 64, depth: 16 }, thread: { rows: 4, keys: 4 }, wave: 0.71 },
  { block: { rows: 64, keys: 32, depth: 16 }, thread: { rows: 4, keys: 4 }, wave: 0.74 },
  { block: { rows: 32, keys: 64, depth: 8 }, thread: { rows: 4, keys: 8 }, wave: 0.35 },
  { block: { rows: 32, keys: 64, depth: 16 }, thread: { rows: 4, keys: 4 }, wave: 0.37 },
  { block: { rows: 32, keys: 32, depth: 16 }, thread: { rows: 4, keys: 4 }, wave: 0.46 },
  { block: { rows: 16, keys: 64, depth: 16 }, thread: { rows: 4, keys: 4 }, wave: 0.25 },
];
/** Running sums of values that a thread has room for. */
const REGISTERS = 64;
/** A block with fewer rows is mostly idle, which pays only where all is done soon: nanoseconds that two dispatches take. */
const FEWEST_ROWS = 8;
const SOON = 10_000;
/** Expressions of all scores of a thread: longer texts take long to compile. */
const LONGEST_TEXT = 2048;
/** On a CPU: threads of a workgroup, rows of one and keys at once, threads that keep it busy, and columns of a thread. */
const ALONE_THREADS = 64;
const TOGETHER: readonly number[] = [4, 2, 1];
const BUSY = 128;
const MOST_COLUMNS = 256;

/** The walk that should be fastest, and others that may be; else why there is none. */
export function walksOf(online: Online, { kind, workgroupMemory }: Target): readonly [Walk, ...Walk[]] | string {
  return kind === 'gpu' ? inBlocks(online, workgroupMemory) : alone(online);
}

function inBlocks(online: Online, memory: number): readonly [Walk, ...Walk[]] | string {
  const { rows, columns, batch, keys, dot, score, weight } = online;
  const whole = (s: WalkSizes): BlockWalk => {
    const [across, down] = [s.block.keys / s.thread.keys, s.block.rows / s.thread.rows];
    const width = across * LANES * 2 ** Math.ceil(Math.log2(Math.max(1, extentOf(columns) / (across * LANES))));
    const workgroups = extentOf(batch) * Math.ceil(extentOf(rows) / s.block.rows);
    return { ...online, ...s, kind: 'blocks', across, down, threads: across * down, width, workgroups };
  };
  const fitting = SIZES.map(whole).filter(
    (s) => (s.width / s.across) * s.thread.rows <= REGISTERS && bytesOf(s) <= memory && isEven(s),
  );
  const up = (n: number, to: number) => Math.ceil(n / to) * to;
  const time = ({ block, width, wave, workgroups }: BlockWalk) =>
    Math.ceil(workgroups / PLACES) * wave * up(keys.extent, block.keys) * (up(extentOf(dot.axes), block.depth) + width);
  const [best, ...others] = ranked(fitting, time);
  if (!best) return `a workgroup has no room for ${extentOf(columns)} columns of a walk over what is summed`;
  if (extentOf(rows) < FEWEST_ROWS && time(best) > SOON) return 'too few rows share a walk over what is summed';
  const text = everyUnder([score, weight]).length * best.thread.rows * best.thread.keys;
  return text > LONGEST_TEXT ? 'it is too long to be written out for each score of a thread' : [best, ...others];
}

function alone(online: Online): readonly [RowWalk] | string {
  const { rows, columns, batch, keys } = online;
  if (extentOf(columns) > MOST_COLUMNS) return `a thread has no room for ${extentOf(columns)} columns`;
  const all = extentOf(rows) * extentOf(batch);
  const keysTogether = TOGETHER.find((n) => keys.extent % n === 0) ?? 1;
  const rowsTogether = TOGETHER.find((n) => (rows.at(-1)?.extent ?? 1) % n === 0 && all / n >= BUSY) ?? 1;
  const workgroups = Math.ceil(all / rowsTogether / ALONE_THREADS);
  return [{ ...online, kind: 'alone', rowsTogether, keysTogether, threads: ALONE_THREADS, workgroups }];
}

/** What is staged of keys, or of values: whichever is more. */
export const stagedWidth = ({ block, width }: Pick<BlockWalk, 'block' | 'width'>): number => Math.max(block.keys, width);

/** Whether each thread stages as many vectors of a step as the others, and there is one for each row. */
function isEven({ block, width, threads }: BlockWalk): boolean {
  const sides = [block.rows, block.keys, width].map((n) => n / LANES);
  if (threads < block.rows || block.keys % block.depth !== 0) return false;
  return sides.every((spots) => threads % spots === 0 && (spots * block.depth) % threads === 0) && threads % block.depth === 0;
}

/** Both factors of a step, the weights of a block, and the largest and the totals of rows. */
function bytesOf(walk: BlockWalk): number {
  const { block, across } = walk;
  const vectors = (2 * pitchOf(block.rows) + pitchOf(stagedWidth(walk))) * block.depth;
  return vectors * LANES * 4 + (across + 2) * block.rows * 4;
}
