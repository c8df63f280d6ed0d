/** @file Dead code. In: a functional graph. Out: only what an output or a write to a tensor from outside needs. */
import { nodeInputs, type Node } from '../ir/graph.ts';
import { definePass } from './define.ts';

export const prune = definePass({
  name: 'prune',
  doc: 'Ops whose results nothing uses go. Arguments stay, used or not.',
  example: {
    code: `(x) => {
      x.exp().sum();
      return x.neg();
    }`,
    shapes: [[2, 3]],
  },
  requires: ['functional'],
  run(graph) {
    const returned = (graph.returned ?? []).flatMap(({ of }) => (typeof of === 'number' ? [] : [of]));
    const live = new Set<Node>([...graph.outputs, ...returned, ...graph.writes.flatMap((w) => [w.value, w.target])]);
    for (const node of [...graph.nodes].reverse()) if (live.has(node)) for (const input of nodeInputs(node)) live.add(input);
    return {
      ...graph,
      nodes: graph.nodes.filter((node) => live.has(node) || (node.kind === 'external' && node.role === 'input')),
    };
  },
});
