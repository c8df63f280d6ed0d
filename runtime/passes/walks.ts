/**
 * @file Sums that may be one walk over what they go over: scores, their largest, their exponentials and the totals of those, and the
 * sum of values that takes them as weights. In: a graph. Out: for each such sum of values the nodes that its kernel would compute
 * for it. Whether that kernel is one walk shows in its loop nest (kernels/online.ts).
 */
import { isNode, nodeInputs, type Graph, type Node, type OpNode } from '../ir/graph.ts';
import { exponential, largest } from '../kernels/arithmetic.ts';
import { numel } from '../tensor/shape.ts';
import { flopsOf } from './cost.ts';
import { isContraction, type Contraction } from './products.ts';
import { isMove } from './sums.ts';

export interface Walk {
  /** The sum of weighted values, and the one of which scores are made. */
  readonly mixed: Contraction;
  readonly scores: Contraction;
  /** What is computed from scores: themselves, what makes weights of them, and sums of weights. */
  readonly inside: ReadonlySet<OpNode>;
  /** What is cheap enough to be computed whenever a factor is loaded. */
  readonly loaded: ReadonlySet<OpNode>;
}

/** Nodes that are looked at behind a product. */
const LOOKED_AT = 32;
/** Operations for each element of a factor. */
const CHEAP = 4;

export function walksIn(graph: Graph, readers: ReadonlyMap<Node, readonly OpNode[]>): Walk[] {
  if (!graph.nodes.some((n) => n.kind === 'op' && n.op === largest)) return [];
  return graph.nodes.flatMap((node) => (isContraction(node) ? (walkTo(node, readers) ?? []) : []));
}

function walkTo(mixed: Contraction, readers: ReadonlyMap<Node, readonly OpNode[]>): Walk | undefined {
  const behind = new Set<OpNode>();
  const found = new Set<Contraction>();
  const open = nodeInputs(mixed);
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.kind !== 'op' || behind.has(next)) continue;
    if (isContraction(next)) found.add(next);
    else if (['elementwise', 'move', 'reduce'].includes(next.op.kind) && behind.size < LOOKED_AT) {
      behind.add(next);
      open.push(...nodeInputs(next));
    }
  }
  if (![largest, exponential].every((op) => [...behind].some((n) => n.op === op))) return undefined;
  for (const scores of found) {
    const inside = new Set<OpNode>([scores]);
    for (const node of inside)
      for (const reader of readers.get(node) ?? []) if (behind.has(reader) || isOfRow(reader, inside)) inside.add(reader);
    // Of several products behind it the one whose largest is taken.
    if ([...inside].some((n) => n.op === largest))
      return { mixed, scores, inside, loaded: loadedBy([mixed, scores], inside, readers) };
  }
  return undefined;
}

/** A sum of weights, or what is made of one for each row: what follows the walk may be divided by it. */
function isOfRow(reader: OpNode, inside: ReadonlySet<OpNode>): boolean {
  if (reader.op.kind === 'reduce') return [...inside].some((n) => n.op === exponential && reader.inputs.includes(n));
  const size = numel(reader.meta.shape);
  const [first] = nodeInputs(reader).filter((n): n is OpNode => n.kind === 'op' && inside.has(n));
  return isAlike(reader) && first !== undefined && isOfRowItself(first, inside) && numel(first.meta.shape) === size;
}

const isAlike = ({ op }: OpNode): boolean => op.kind === 'elementwise' || op.kind === 'move';

/** A sum of weights, seen through what is made of it element by element. */
function isOfRowItself(node: OpNode, inside: ReadonlySet<OpNode>): boolean {
  if (node.op.kind === 'reduce') return node.op !== largest;
  const [first] = nodeInputs(node).filter((n): n is OpNode => n.kind === 'op' && inside.has(n));
  return isAlike(node) && first !== undefined && isOfRowItself(first, inside);
}

function loadedBy(
  products: readonly Contraction[],
  inside: ReadonlySet<OpNode>,
  readers: ReadonlyMap<Node, readonly OpNode[]>,
): ReadonlySet<OpNode> {
  const loaded = new Set<OpNode>();
  const visit = (node: Node, left: number): void => {
    const alone = node.kind === 'op' && !inside.has(node) && (readers.get(node)?.length ?? 0) === 1;
    if (!alone || !(isMove(node) || node.op.kind === 'elementwise')) return;
    const rest = left - flopsOf(node) / Math.max(1, numel(node.meta.shape));
    if (rest < 0) return;
    loaded.add(node);
    for (const input of node.inputs) if (isNode(input)) visit(input, rest);
  };
  for (const input of products.flatMap(nodeInputs)) visit(input, CHEAP);
  return loaded;
}
