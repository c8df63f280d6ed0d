/**
 * @file Scales and shifts of products by frozen tensors. In: a functional graph. Out: what is linear (· γ, / √(σ² + ε)) in a sum
 * of products is done to a frozen factor of them instead, where that factor varies wherever the scale does; and what is added
 * before and after is one summand. So a convolution and a batch norm in use are one convolution and one addition; the pass
 * knows neither. A product that something else reads too keeps its value; a graph that is not frozen stays as it is.
 */
import { isNode, rewrite, type Node, type OpNode } from '../ir/graph.ts';
import { isFloat } from '../tensor/dtype.ts';
import { Affine, type Shifted } from './affine.ts';
import { definePass } from './define.ts';
import { constantsOf } from './frozen.ts';
import { isContraction, type Contraction } from './products.ts';
import { prune } from './prune.ts';
import { usesOf } from './uses.ts';

export const scaleProducts = definePass({
  name: 'scale-products',
  doc: 'A frozen scale of a product is done to its frozen factor instead: a convolution and its batch norm are one convolution.',
  example: {
    code: '(x) => x.conv2d(weight).mul(scale).add(shift)',
    shapes: [[1, 2, 4, 4]],
    frozen: { weight: [3, 2, 1, 1], scale: [3, 1, 1], shift: [3, 1, 1] },
  },
  requires: ['functional'],
  run(graph) {
    const constants = constantsOf(graph);
    if (constants.size === 0) return graph;
    const uses = usesOf(graph);
    /** Those that only one op reads. */
    const open = new Map<Node, Shifted>();
    const rewritten = rewrite(graph, (node, build, before) => {
      const of = node.inputs.findIndex((x) => isNode(x) && open.has(x));
      const was = open.get(node.inputs[of] as Node);
      const affine = new Affine(node, constants, build);
      const is = was ? affine.after(was, of) : isScalable(node, constants) ? { product: node } : undefined;
      if (!is) return undefined;
      // A first summand is as good where it stands.
      const now = !was || (is.product === was.product && was.shift === undefined) ? node : affine.sum(is);
      if (uses.get(before) === 1) open.set(now, is);
      return now === node ? undefined : now;
    });
    return prune.run(rewritten);
  },
});

/** Whether a scale may be done to a factor: in halves each element of that would be rounded once more. */
function isScalable(node: OpNode, constants: ReadonlySet<Node>): node is Contraction {
  const { dtype } = node.meta;
  const isFrozen = node.inputs.some((x) => isNode(x) && constants.has(x)) && !constants.has(node);
  return isContraction(node) && isFrozen && isFloat(dtype) && dtype !== 'float16';
}
