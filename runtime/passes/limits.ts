/**
 * @file How long a kernel may become. In: a node, and what of the kernel would stand between it and the end. Out: why it is
 * stored instead, if that is too much for those who read and compile the text.
 */
import { isNode, type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { isMove, isSum, onTheWay, termsOf } from './sums.ts';

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

/** `chains` has those of nodes behind it, but for what is stored. */
export function chainAt(node: OpNode, readers: ReadonlyMap<Node, readonly OpNode[]>, chains: ReadonlyMap<Node, Chain>): Chain {
  const { op } = node;
  const own = readers.get(node) ?? [];
  const chainOf = (r: Node) => chains.get(r) ?? NOTHING;
  const most = (of: (chain: Chain) => number) => Math.max(0, ...own.map((r) => of(chainOf(r))));
  const joins = [...onTheWay(node, readers, isMove)].filter((r) => r.op.kind === 'join');
  const written = joins.map((j) => chainOf(j).copies * partsIn(j, node));
  return {
    depth: 1 + most((c) => c.depth),
    length: Number(op.kind === 'elementwise') + most((c) => c.length),
    nested: Number(isSum(op) && termsOf(node) > 1) + most((c) => c.nested),
    copies: Math.max(
      1,
      most((c) => c.copies),
      ...written,
    ),
  };
}

/** How many parts the node is, or views of it: each lies in another place, and is written out for it. */
function partsIn(join: OpNode, node: OpNode): number {
  const behind = (x: NodeInput): NodeInput => {
    const [of] = isNode(x) && x.kind === 'op' && isMove(x) ? x.inputs : [];
    return of === undefined ? x : behind(of);
  };
  return join.inputs.filter((x) => behind(x) === node).length;
}

/** Why the node is stored, if its kernel would become too long with it. */
export function tooLong(node: OpNode, { depth, length, nested, copies }: Chain): string | undefined {
  if (copies > MOST_COPIES && node.op.kind !== 'move') return `its text would stand ${copies} times in a kernel`;
  if (nested > MOST_NESTED && isSum(node.op)) return `${MOST_NESTED} sums already stand in each other`;
  const most = length > LONGEST ? LONGEST : depth > DEEPEST ? DEEPEST : undefined;
  return most !== undefined && node.op.kind !== 'move' ? `a kernel of ${most} steps is long enough` : undefined;
}
