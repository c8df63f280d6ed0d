/**
 * @file Long sums for few positions. In: a functional graph. Out: a product whose positions are too few to keep a device busy,
 * and whose sums are long (the gradient of a convolution's weight), is sums of parts, added up in a small kernel after it.
 */
import { invariant } from '../errors.ts';
import { nodeInputs, rewrite, type Node, type OpNode } from '../ir/graph.ts';
import { inParts, type Parts } from '../ops/parts.ts';
import { sum } from '../ops/reduce.ts';
import { numel } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { isContraction, isReused, type Contraction } from './products.ts';

/** Positions of one workgroup, and how many of those keep a device busy. */
const BLOCK = 64 * 64;
const BUSY = 256;
/** Shorter sums are not worth another kernel, nor is less work. */
const SHORTEST = 512;
const LEAST = 1 << 24;
/** With fewer positions a workgroup is better spent on each. */
const FEWEST_POSITIONS = 24 * 24;

export const splitSums = definePass({
  name: 'split-sums',
  doc: 'Long sums of few positions are computed in parts at the same time, which are added up at last.',
  requires: ['functional'],
  run: (graph) =>
    rewrite(graph, (node, build) => {
      const cut = cutOf(node);
      if (!cut) return undefined;
      const { stack, origins } = node;
      const from = { stack, origins };
      const parts = build.op(inParts(cut.product.op), node.inputs, { ...node.attributes, ...cut.parts }, from);
      return build.op(invariant(sum.entry.spec, 'a sum has a kernel'), [parts], { dims: [0], keepdim: false }, from);
    }),
});

function cutOf(node: OpNode): { product: Contraction; parts: Parts } | undefined {
  // Parts of half precision would be rounded.
  if (!isContraction(node) || node.meta.dtype !== 'float32' || !nodeInputs(node).every((x: Node) => isReused(x, node)))
    return undefined;
  const positions = numel(node.meta.shape);
  const extents = node.op.extents(
    nodeInputs(node).map((x) => x.meta.shape),
    node.attributes,
  );
  const terms = numel(extents);
  if (positions < FEWEST_POSITIONS || positions * terms < LEAST) return undefined;
  const wanted = Math.min(Math.floor((BUSY * BLOCK) / positions), Math.floor(terms / SHORTEST));
  if (wanted < 2) return undefined;
  const cuts = extents.map((extent, along) => ({ along, ...evenParts(extent, wanted) }));
  const most = Math.max(...cuts.map((c) => c.parts));
  // The outermost dim that gives about as many: what is next to each other in memory stays in one part.
  const parts = cuts.find((c) => c.parts * 2 > Math.min(most, wanted) && c.parts > 1);
  return parts && { product: node, parts };
}

/** About so many parts of `extent`: of one size, where a number near that divides it. */
function evenParts(extent: number, wanted: number): Pick<Parts, 'parts' | 'each'> {
  for (let parts = Math.min(Math.floor(1.25 * wanted), extent); parts > 0.75 * wanted; parts--) {
    if (extent % parts === 0) return { parts, each: extent / parts };
  }
  const each = Math.ceil(extent / wanted);
  return { parts: Math.ceil(extent / each), each };
}
