/** @file What is made of a node, as far as fusion asks. In: the node and what reads each. Out: whether a search, a scan or a sum takes it. */
import { type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { sameShape } from '../tensor/shape.ts';
import { isLongScan, isMove, isSum, onTheWay, termsOf } from './sums.ts';

type Readers = ReadonlyMap<Node, readonly OpNode[]>;

/** Each step of a search would write it out again. */
export function isSearched(node: OpNode, all: Readers): boolean {
  const readers = onTheWay(node, all, isMove);
  const looked = new Set<NodeInput | undefined>([node, ...[...readers].filter(isMove)]);
  return [...readers].some((r) => r.op.kind === 'search' && looked.has(r.inputs[0]));
}

/** Whether a scan takes it, or a view of it. */
export function isScanned(node: OpNode, readers: Readers): boolean {
  return [...onTheWay(node, readers, isMove)].some(isLongScan);
}

/** Whether a sum takes it, or a view of it. */
export function isTerm(node: OpNode, readers: Readers): boolean {
  return [...onTheWay(node, readers, isMove)].some((r) => isSum(r.op) && termsOf(r) > 1);
}

/** Whether a sum takes it, or what is made of it before anything is stored. */
export function isSummed(node: OpNode, readers: Readers, isStored: (reader: OpNode) => boolean): boolean {
  return [...onTheWay(node, readers, (r) => !isSum(r.op) && !isStored(r))].some((r) => isSum(r.op));
}

/** Whether a reader takes the elements one by one, in their order or from the end. */
export const keepsOrder = ({ op, meta }: OpNode, node: Node): boolean =>
  (op.kind === 'elementwise' || op.name === 'flip') && sameShape(meta.shape, node.meta.shape);
