/**
 * @file Long sums for few positions. In: a functional graph. Out: a product or a fold whose positions are too few to keep a device
 * busy, and whose sums are long (the gradient of a convolution's weight, a loss), is sums of parts, added up in a small kernel.
 */
import { isNode, nodeInputs, rewrite, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { conversions } from '../ops/convert.ts';
import { foldInParts, lastDims, partsOfFold } from '../ops/fold-parts.ts';
import { partsOf } from '../ops/long-sums.ts';
import { inParts, lastOf } from '../ops/parts.ts';
import type { ContractSpec } from '../ops/spec.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous } from '../tensor/layout.ts';
import { definePass } from './define.ts';
import { formOf } from './products.ts';

/** So many folds of one form are often a kernel, of whose positions each is one. */
const MANY_ALIKE = 8;

export const splitSums = definePass({
  name: 'split-sums',
  doc: 'Long sums of few positions are computed in parts at the same time, which are added up at last.',
  example: {
    code: '(x, y) => x.matmul(y)',
    shapes: [
      [32, 32768],
      [32768, 32],
    ],
  },
  requires: ['functional'],
  run(graph) {
    const alike = new Map<string, number>();
    for (const node of graph.nodes) {
      if (node.kind === 'op' && node.op.kind === 'reduce') alike.set(formOf(node), (alike.get(formOf(node)) ?? 0) + 1);
    }
    return rewrite(graph, (node, build) => {
      if (node.op.kind === 'reduce') return (alike.get(formOf(node)) ?? 0) < MANY_ALIKE ? foldedInParts(node, build) : undefined;
      return node.op.kind === 'contract' ? summedInParts(node, node.op, build) : undefined;
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

function summedInParts(node: OpNode, op: ContractSpec, build: GraphBuilder): Node | undefined {
  const { inputs, attributes, meta, stack, origins } = node;
  const shapes = nodeInputs(node).map((x) => x.meta.shape);
  const cut = partsOf(op, shapes, attributes, meta);
  if (!cut) return undefined;
  const from = { stack, origins };
  const parts = build.op(inParts(op), inputs, { ...attributes, ...cut }, from);
  return build.op(lastOf(op), [parts], { dims: [0], keepdim: false }, from);
}
