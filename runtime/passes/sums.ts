/** @file Which nodes of a graph add up others, what is made of such, and what is cheap. In: nodes. Out: what fusion decides by. */
import { isNode, nodeInputs, type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { SHORT_SUM } from '../kernels/rows.ts';
import type { OpSpec, ScanSpec } from '../ops/spec.ts';
import { numel } from '../tensor/shape.ts';
import { flopsOf } from './cost.ts';

/** Ops of which each element is a loop over others. */
export function isSum({ kind }: OpSpec): boolean {
  return kind === 'reduce' || kind === 'scan' || kind === 'contract' || kind === 'segment';
}

/** A fold that a kernel goes along, so that it computes what it reads once; shorter ones are computed where they are used. */
export function isLongScan(node: Node): node is OpNode & { readonly op: ScanSpec } {
  return node.kind === 'op' && node.op.kind === 'scan' && termsOf(node) > SHORT_SUM;
}

/** Terms of one sum. */
export function termsOf(node: OpNode): number {
  const nodes = node.inputs.filter(isNode);
  if (node.op.kind === 'contract') {
    return numel(
      node.op.extents(
        nodes.map((n) => n.meta.shape),
        node.attributes,
      ),
    );
  }
  if (node.op.kind === 'scan') return node.meta.shape[node.attributes['dim'] as number] ?? 1;
  return numel(nodes[0]?.meta.shape ?? []) / Math.max(1, numel(node.meta.shape));
}

/**
 * Of what a kernel would compute once for each of its rows, those to store: all that are not one for each of `rows`. Where it does
 * not go by rows, the most numerous; but where `root` goes over what those have one of each for, it may without the others.
 */
export function notOfRows(once: readonly OpNode[], rows: number | undefined, root: OpNode): OpNode[] {
  const sizeOf = (n: OpNode) => numel(n.meta.shape);
  const fits = once.filter((n) => sizeOf(n) === rows);
  if (fits.length > 0) return once.filter((n) => !fits.includes(n));
  const largest = Math.max(...once.map(sizeOf));
  const fewer = once.filter((n) => sizeOf(n) < largest);
  return sizeOf(root) > largest && fewer.length > 0 ? fewer : once.filter((n) => sizeOf(n) === largest);
}

/** Nodes that are looked at for long sums before a value that is summed. */
const LOOKED_AT = 64;

/** Nodes that it is computed from, itself first: a few. */
function upstream(node: OpNode, through: (from: OpNode) => boolean): OpNode[] {
  const seen = new Set<OpNode>([node]);
  for (const next of seen) {
    if (seen.size > LOOKED_AT) break;
    if (through(next)) for (const input of nodeInputs(next)) if (input.kind === 'op') seen.add(input);
  }
  return [...seen];
}

/** Whether a sum of as many elements is among what it is computed from, element by element. */
export function madeOfSum(node: OpNode): boolean {
  const alike = upstream(node, ({ op }) => op.kind === 'elementwise' || op.kind === 'move');
  return alike.some((n) => isSum(n.op) && numel(n.meta.shape) === numel(node.meta.shape));
}

/**
 * Whether it takes a long product of as many elements, element by element. A position of a kernel that reads it in parts
 * would have several such sums, and a thread has room for few.
 */
export function madeOfProduct(node: OpNode): boolean {
  const alike = upstream(node, ({ op }) => op.kind === 'elementwise');
  return alike.some((n) => n.op.kind === 'contract' && termsOf(n) > SHORT_SUM && numel(n.meta.shape) === numel(node.meta.shape));
}

/** Whether it is made of a long product, element by element or part by part. */
export function holdsProduct(node: OpNode): boolean {
  const parts = upstream(node, ({ op }) => op.kind === 'elementwise' || op.kind === 'move' || op.kind === 'join');
  return parts.some((n) => n.op.kind === 'contract' && termsOf(n) > SHORT_SUM);
}

/** Whether it is made of a long sum, element by element or part by part. */
export function holdsSum(node: OpNode): boolean {
  const parts = upstream(node, ({ op }) => op.kind === 'elementwise' || op.kind === 'move' || op.kind === 'join');
  return parts.some((n) => isSum(n.op) && termsOf(n) > SHORT_SUM);
}

/** Whether it takes several long sums, of which there are as many as there are elements: it is no more to store than they. */
export function madeOfLongSums(node: OpNode): boolean {
  const sums = upstream(node, () => true).filter((n) => isSum(n.op) && termsOf(n) > SHORT_SUM);
  return sums.filter((n) => numel(n.meta.shape) >= numel(node.meta.shape)).length > 1;
}

/** Operations that are not worth a kernel of their own. */
const CHEAP_NUMBER = 12;

/** One number, in a few operations from what is stored: cheaper computed by every thread than stored and read. */
export function isCheapNumber(node: OpNode): boolean {
  let left = CHEAP_NUMBER;
  const visit = (x: NodeInput): boolean => {
    if (!isNode(x) || x.kind === 'external' || isSum(x.op)) return true;
    if (numel(x.meta.shape) !== 1 || !['elementwise', 'move', 'create'].includes(x.op.kind)) return false;
    left -= Math.max(1, flopsOf(x));
    return left >= 0 && x.inputs.every(visit);
  };
  return !isSum(node.op) && visit(node);
}

export const isMove = ({ op }: OpNode): boolean => op.kind === 'move';

/** What reads the node, itself or on the way through others: each once, whatever number of ways leads there. */
export function onTheWay(
  node: Node,
  readers: ReadonlyMap<Node, readonly OpNode[]>,
  through: (reader: OpNode) => boolean,
): Set<OpNode> {
  const found = new Set(readers.get(node));
  for (const r of found) if (through(r)) readers.get(r)?.forEach((next) => found.add(next));
  return found;
}

/** How many elements of `input` one element of `reader` reads. */
export function readsPerElement(reader: OpNode, input: Node): number {
  const out = Math.max(1, numel(reader.meta.shape));
  if (isSum(reader.op)) return isLongScan(reader) ? 1 : termsOf(reader);
  if (reader.op.kind === 'search' && reader.inputs[0] === input) return Math.log2(1 + (input.meta.shape.at(-1) ?? 1));
  if (reader.op.kind === 'join') return numel(input.meta.shape) / out;
  if (reader.op.kind === 'write' && reader.inputs[1] === input) return numel(input.meta.shape) / out;
  return 1;
}

/** Whether a long sum inside a kernel needs what the kernel stores before its last root. */
export function needsStored(roots: readonly OpNode[], inside: ReadonlySet<Node>): boolean {
  const stored = new Set<Node>(roots.slice(0, -1));
  const seen = new Set<Node>();
  for (const n of inside) if (n.kind === 'op' && isSum(n.op) && termsOf(n) > SHORT_SUM) nodeInputs(n).forEach((x) => seen.add(x));
  for (const n of seen) if (n.kind === 'op' && inside.has(n)) nodeInputs(n).forEach((x) => seen.add(x));
  return [...stored].some((n) => seen.has(n));
}
