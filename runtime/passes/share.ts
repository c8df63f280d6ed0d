/** @file Common subexpressions. In: a functional graph. Out: equal pure expressions are computed once. */
import { nodeKey, rewrite, type Node, type OpNode } from '../ir/graph.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous } from '../tensor/layout.ts';
import { definePass } from './define.ts';

export const share = definePass({
  name: 'share',
  doc: 'Equal expressions are computed once.',
  example: {
    code: '(x, y) => x.add(y).mul(x.add(y))',
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  requires: ['functional'],
  run(graph) {
    const seen = new Map<string, OpNode>();
    return rewrite(graph, (node, build): Node | undefined => {
      const key = nodeKey(node);
      const twin = seen.get(key);
      if (twin) return twin;
      seen.set(key, node);
      const other = seen.get(otherKey(node) ?? '');
      return other && build.op(stridedSpec, [other], layoutAttributes(contiguous(node.meta.shape)), node);
    });
  },
});

/** Of the same sums, where dims that are summed go that are of size 1 here, or the other way round. */
function otherKey(node: OpNode): string | undefined {
  const { keepdim } = node.attributes;
  if (node.op.kind !== 'reduce' || typeof keepdim !== 'boolean') return undefined;
  return nodeKey({ ...node, attributes: { ...node.attributes, keepdim: !keepdim } });
}
