/**
 * @file Long sums for few positions. In: a functional graph. Out: a product or a fold whose positions are too few to keep a device
 * busy, and whose sums are long (the gradient of a convolution's weight, a loss), is sums of parts, added up in a small kernel.
 */
import { isNode, nodeInputs, rewrite, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { conversions } from '../ops/convert.ts';
import { foldInParts, lastDims, partsOfFold } from '../ops/fold-parts.ts';
import { alongOne, inParts, lastOf, partsOfLong, type Parts } from '../ops/parts.ts';
import type { ContractSpec } from '../ops/spec.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous } from '../tensor/layout.ts';
import { numel } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { formOf, isContraction, isReused, type Contraction } from './products.ts';

/** Positions of one workgroup, and how many of those keep a device busy. */
const BLOCK = 64 * 64;
const BUSY = 256;
/** Shorter sums are not worth another kernel, nor is less work. */
const SHORTEST = 512;
const LEAST = 1 << 24;
/** With fewer positions a workgroup is better spent on each. */
const FEWEST_POSITIONS = 24 * 24;
/** So many folds of one form are often a kernel, of whose positions each is one. */
const MANY_ALIKE = 8;

export const splitSums = definePass({
  name: 'split-sums',
  doc: 'Long sums of few positions are computed in parts at the same time, which are added up at last.',
  requires: ['functional'],
  run(graph) {
    const alike = new Map<string, number>();
    for (const node of graph.nodes) {
      if (node.kind === 'op' && node.op.kind === 'reduce') alike.set(formOf(node), (alike.get(formOf(node)) ?? 0) + 1);
    }
    return rewrite(graph, (node, build) => {
      if (node.op.kind === 'reduce') return (alike.get(formOf(node)) ?? 0) < MANY_ALIKE ? foldedInParts(node, build) : undefined;
      const cut = cutOf(node);
      if (!cut) return undefined;
      const { stack, origins } = node;
      const from = { stack, origins };
      const parts = build.op(inParts(cut.product.op), node.inputs, { ...node.attributes, ...cut.parts }, from);
      return build.op(lastOf(cut.product.op), [parts], { dims: [0], keepdim: false }, from);
    });
  },
});

function foldedInParts(node: OpNode, build: GraphBuilder): Node | undefined {
  const { op, inputs, attributes, meta, stack, origins } = node;
  const [x] = inputs;
  if (op.kind !== 'reduce' || !x || !isNode(x)) return undefined;
  const fold = partsOfFold(x.meta.shape, attributes['dims'] as readonly number[]);
  if (!fold) return undefined;
  const from = { stack, origins };
  const parts = build.op(foldInParts(op), inputs, { ...fold }, from);
  const whole = build.op(op, [parts], { dims: lastDims(fold), keepdim: false }, from);
  const typed = whole.meta.dtype === meta.dtype ? whole : build.op(conversions[meta.dtype], [whole], {}, from);
  return attributes['keepdim'] ? build.op(stridedSpec, [typed], layoutAttributes(contiguous(meta.shape)), from) : typed;
}

type Summing = OpNode & { readonly op: ContractSpec };

const isSumming = (node: OpNode): node is Summing => node.op.kind === 'contract';

function cutOf(node: OpNode): { product: Summing; parts: Parts } | undefined {
  // Parts of half precision would be rounded.
  if (!isSumming(node) || node.meta.dtype === 'float16') return undefined;
  const shapes = nodeInputs(node).map((x) => x.meta.shape);
  const positions = numel(node.meta.shape);
  const parts =
    partsOfLong(node.op, shapes, node.attributes, positions) ?? (isContraction(node) ? partsOfProduct(node) : undefined);
  return parts && { product: node, parts };
}

function partsOfProduct(node: Contraction): Parts | undefined {
  if (node.meta.dtype !== 'float32' || !nodeInputs(node).every((x: Node) => isReused(x, node))) return undefined;
  const positions = numel(node.meta.shape);
  const extents = node.op.extents(
    nodeInputs(node).map((x) => x.meta.shape),
    node.attributes,
  );
  const terms = numel(extents);
  if (positions < FEWEST_POSITIONS || positions * terms < LEAST) return undefined;
  const wanted = Math.min(Math.floor((BUSY * BLOCK) / positions), Math.floor(terms / SHORTEST));
  return wanted < 2 ? undefined : alongOne(extents, wanted);
}
