/**
 * @file Sums of squared distances from a mean, however they are written. In: an op of a functional graph. Out: what it is of, over
 * which dims, and the sum that the mean is made of; undefined where it is none. It is told by what is computed from what alone.
 */
import { isNode, type Node, type OpNode } from '../ir/graph.ts';
import { addedUp, difference, product, quotient, squared } from '../kernels/arithmetic.ts';
import { axis, fromAxis } from '../tensor/affine.ts';
import { contiguous, isContiguous, type Layout } from '../tensor/layout.ts';
import { numel, sameShape, type Shape } from '../tensor/shape.ts';
import { constantOf } from './fold.ts';
import { viewOf } from './views.ts';

export interface Spread {
  readonly of: Node;
  /** Those that are longer than 1, in order. */
  readonly dims: readonly number[];
  /** The sum over the dims, and the mean that it is divided to. */
  readonly sum: OpNode;
  readonly mean: OpNode;
}

export function spreadOf(node: OpNode): Spread | undefined {
  const distance = squaredIn(node);
  if (distance?.kind !== 'op' || distance.op !== difference) return undefined;
  const [of, from] = distance.inputs;
  if (!isNode(of) || !isNode(from)) return undefined;
  const { base: mean, layout } = viewOf(from);
  const sum = mean.kind === 'op' && mean.op === quotient ? sumIn(mean) : undefined;
  if (mean.kind !== 'op' || sum?.inputs[0] !== of) return undefined;
  const { shape } = of.meta;
  // What is repeated for several means, or means for several numbers, is not what the sum was of.
  if (!sameShape(distance.meta.shape, shape) || numel(mean.meta.shape) !== numel(sum.meta.shape)) return undefined;
  const dims = dimsOf(sum, shape);
  const isMean = constantOf(mean.inputs[1]) === numel(dims.map((d) => shape[d] ?? 1));
  const areFloats = [of, distance, mean, sum, node].every((n) => n.meta.dtype === 'float32');
  return areFloats && isMean && isOfRows(layout, shape, dims) && isOver(node, shape, dims) ? { of, dims, sum, mean } : undefined;
}

/** What it adds up the squares of. */
function squaredIn({ op, inputs: [x] }: OpNode): Node | undefined {
  if (!isNode(x)) return undefined;
  if (op.kind === 'contract') return op.term?.element === squared && !op.fold ? x : undefined;
  if (op !== addedUp || x.kind !== 'op') return undefined;
  const [of, other] = x.inputs;
  return isNode(of) && (x.op === squared || (x.op === product && of === other)) ? of : undefined;
}

/** The sum that is divided, whatever shape it is given before. */
function sumIn({ inputs: [divided] }: OpNode): OpNode | undefined {
  if (!isNode(divided)) return undefined;
  const { base, layout } = viewOf(divided);
  const isWhole = isContiguous(layout) && layout.offset === 0 && numel(layout.shape) === numel(base.meta.shape);
  return isWhole && base.kind === 'op' && base.op === addedUp ? base : undefined;
}

const dimsOf = ({ attributes }: OpNode, shape: Shape): number[] =>
  (attributes['dims'] as readonly number[]).filter((d) => shape[d] !== 1);

/** Whether each element reads, of one number for each row, that of its own row. */
function isOfRows({ shape, strides, offset }: Layout, of: Shape, dims: readonly number[]): boolean {
  const skip = of.length - shape.length;
  const rows = contiguous(of.map((size, d) => (dims.includes(d) ? 1 : size))).strides;
  const step = (d: number) => (shape[d - skip] === 1 ? 0 : (strides[d - skip] ?? 0));
  return offset === 0 && skip >= 0 && of.every((size, d) => step(d) === (dims.includes(d) || size === 1 ? 0 : rows[d]));
}

/** Whether it adds up just these dims, and leaves the others in order. */
function isOver(node: OpNode, shape: Shape, dims: readonly number[]): boolean {
  if (node.op.kind !== 'contract') return dimsOf(node, shape).join() === dims.join();
  const wide = (name: string, sizes: Shape) => sizes.map((size, d) => fromAxis(axis(`${name}${d}`, size)));
  const out = wide('o', node.meta.shape);
  const folded = wide('s', node.op.extents([shape], node.attributes));
  const [source, other] = node.op.sources(out, folded, [shape], node.attributes);
  const [kept, summed] = [out, folded].map((axes) => axes.filter((i) => i.max > 0).values());
  const own = (d: number) => (dims.includes(d) ? summed : kept)?.next().value;
  return !other && !source?.inside && shape.every((size, d) => size === 1 || source?.index[d]?.key === own(d)?.key);
}
