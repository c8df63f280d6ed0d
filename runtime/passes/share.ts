/** @file Common subexpressions. In: a functional graph. Out: equal pure expressions are computed once. */
import { nodeKey, rewrite, type OpNode } from '../ir/graph.ts';
import { definePass } from './define.ts';

export const share = definePass({
  name: 'share',
  doc: 'Equal expressions are computed once. Two values that are both returned stay two, or writing one would change the other.',
  requires: ['functional'],
  run(graph) {
    const returned = new Set([...graph.outputs, ...graph.writes.map((w) => w.value)]);
    const seen = new Map<string, { node: OpNode; returned: boolean }>();
    return rewrite(graph, (node, _build, before) => {
      const key = nodeKey(node);
      const twin = seen.get(key);
      if (twin && !(twin.returned && returned.has(before))) {
        twin.returned ||= returned.has(before);
        return twin.node;
      }
      if (!twin) seen.set(key, { node, returned: returned.has(before) });
      return undefined;
    });
  },
});
