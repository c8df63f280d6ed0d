/**
 * @file Memory of one's own. In: a functional graph whose outputs may have become one value, an argument or a view, because
 * their elements are equal. Out: each output is a value that nothing else is, as in the eager run: a later write to one
 * must not change another.
 */
import { invariant } from '../errors.ts';
import { GraphBuilder, type Node } from '../ir/graph.ts';
import { clone } from '../ops/move.ts';
import { definePass } from './define.ts';

export const separate = definePass({
  name: 'separate',
  doc: 'What is returned twice, or is an argument under another name, is copied, so that writing one does not change the other.',
  example: {
    code: '(x, y) => [x.add(y), x.add(y)]',
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  requires: ['functional'],
  run(graph) {
    const build = new GraphBuilder();
    graph.nodes.forEach((node) => build.keep(node));
    const copy = (x: Node) => build.op(invariant(clone.entry.spec, 'a copy has a kernel'), [x], {}, x);
    const taken = new Set<Node>();
    const outputs = graph.outputs.map((x) => {
      const own = isComputed(x) && !taken.has(x) ? x : copy(x);
      taken.add(own);
      return own;
    });
    const writes = graph.writes
      .filter(({ target, value }) => target !== value)
      .map(({ target, value }) => ({ target, value: isComputed(value) ? value : copy(value) }));
    return { ...graph, nodes: build.nodes, outputs, writes };
  },
});

function isComputed(x: Node): boolean {
  return x.kind === 'op' && !(x.op.kind === 'move' && x.op.view);
}
