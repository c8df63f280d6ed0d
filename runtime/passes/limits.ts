/**
 * @file How long a kernel may become. In: a node, and what of the kernel would stand between it and the end. Out: why it is
 * stored instead, if that is too much for those who read and compile the text.
 */
import type { Node, OpNode } from '../ir/graph.ts';
import { isSum, termsOf } from './sums.ts';

/** What stands between a node and the end of its kernel, itself included: the most on any way. */
export interface Chain {
  /** Nodes in a row, and those of them that compute. */
  readonly depth: number;
  readonly length: number;
  /** Sums in each other. */
  readonly nested: number;
  /** How often the node's text stands in the kernel. */
  readonly copies: number;
}

/** A text that stands in a kernel more often takes long to compile. */
const MOST_COPIES = 16;
/** Nodes in a row inside one kernel: lowering and writing it out go down as deep. */
const DEEPEST = 512;
/** Computing ones among them: what compiles the text takes more than its share for longer ones. */
const LONGEST = 128;
/** Each sum in another is a loop in a loop, repeats it, and WGSL nests only so deep. */
const MOST_NESTED = 8;

/** Behind what is stored a new kernel begins. */
const NOTHING: Chain = { depth: 0, length: 0, nested: 0, copies: 1 };

/** `chains` has those of its readers, but for readers that are stored. */
export function chainAt(node: OpNode, readers: readonly OpNode[], chains: ReadonlyMap<Node, Chain>): Chain {
  const { op } = node;
  const most = (of: (chain: Chain, reader: OpNode) => number) =>
    Math.max(0, ...readers.map((r) => of(chains.get(r) ?? NOTHING, r)));
  // Each part of a join lies in another place, so that one which is several parts is written out for each.
  const parts = (r: OpNode) => (r.op.kind === 'join' ? r.inputs.filter((x) => x === node).length : 1);
  return {
    depth: 1 + most((c) => c.depth),
    length: Number(op.kind === 'elementwise') + most((c) => c.length),
    nested: Number(isSum(op) && termsOf(node) > 1) + most((c) => c.nested),
    copies: Math.max(
      1,
      most((c, r) => c.copies * parts(r)),
    ),
  };
}

/** Why the node is stored, if its kernel would become too long with it. */
export function tooLong(node: OpNode, { depth, length, nested, copies }: Chain): string | undefined {
  if (copies > MOST_COPIES && node.op.kind !== 'move') return `its text would stand ${copies} times in a kernel`;
  if (nested > MOST_NESTED && isSum(node.op)) return `${MOST_NESTED} sums already stand in each other`;
  const most = length > LONGEST ? LONGEST : depth > DEEPEST ? DEEPEST : undefined;
  return most !== undefined && node.op.kind !== 'move' ? `a kernel of ${most} steps is long enough` : undefined;
}
