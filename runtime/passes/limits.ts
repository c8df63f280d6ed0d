/**
 * @file How long a kernel may become. In: a node, and what of the kernel would stand between it and the end. Out: why it is
 * stored instead, if that is too much for those who read and compile the text.
 */
import type { OpNode } from '../ir/graph.ts';
import { isSum } from './sums.ts';

export interface Chain {
  /** Nodes in a row, and those of them that compute. */
  readonly depth: number;
  readonly length: number;
  /** Sums in each other. */
  readonly nested: number;
  /** Writes and joins in each other. */
  readonly arms: number;
  /** How often the node's text stands in the kernel. */
  readonly copies: number;
}

/** A text that stands in a kernel more often takes long to compile. */
const MOST_COPIES = 16;
/** Writes and joins in each other, each a condition with the next in an arm of it: Dawn reads 127 levels, two for each. */
const MOST_ARMS = 48;
/** Nodes in a row inside one kernel: lowering and writing it out go down as deep. */
const DEEPEST = 512;
/** Computing ones among them: what compiles the text takes more than its share for longer ones. */
const LONGEST = 128;
/** Each sum in another is a loop in a loop, repeats it, and WGSL nests only so deep. */
const MOST_NESTED = 8;

export function tooDeep(node: OpNode, { depth, length, nested, arms, copies }: Chain): string | undefined {
  if (copies > MOST_COPIES && node.op.kind !== 'move') return `its text would stand ${copies} times in a kernel`;
  if (arms > MOST_ARMS) return `${MOST_ARMS} conditions already stand in each other`;
  if (nested > MOST_NESTED && isSum(node.op)) return `${MOST_NESTED} sums already stand in each other`;
  const most = length > LONGEST ? LONGEST : depth > DEEPEST ? DEEPEST : undefined;
  return most !== undefined && node.op.kind !== 'move' ? `a kernel of ${most} steps is long enough` : undefined;
}
