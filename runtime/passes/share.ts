/** @file Common subexpressions. In: a functional graph. Out: equal pure expressions are computed once. */
import { nodeKey, rewrite, type OpNode } from '../ir/graph.ts';
import { definePass } from './define.ts';

export const share = definePass({
  name: 'share',
  doc: 'Equal expressions are computed once.',
  requires: ['functional'],
  run(graph) {
    const seen = new Map<string, OpNode>();
    return rewrite(graph, (node) => {
      const key = nodeKey(node);
      const twin = seen.get(key);
      if (!twin) seen.set(key, node);
      return twin;
    });
  },
});
