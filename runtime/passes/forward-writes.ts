/**
 * @file Reads of what was just written. In: a functional graph with `write` nodes. Out: a view of a written tensor that
 * sees only what was written becomes that value; one that sees none of it looks past the write. So a loop that adds to
 * slices of a result no longer chains each turn to the one before.
 */
import { writtenLayout } from '../ops/write.ts';
import { isNode, rewrite, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { definePass } from './define.ts';
import { overlap, viewOf } from './views.ts';

export const forwardWrites = definePass({
  name: 'forward-writes',
  doc: 'A view of a tensor that was written elsewhere reads the tensor before that write; a view of just what was written reads the value.',
  example: {
    code: `(x, y) => {
      const z = zeros([4, 3]);
      z.slice(0, 0, 2).copy_(x);
      return z.slice(0, 2, 4).add(y);
    }`,
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  requires: ['functional'],
  run: (graph) => rewrite(graph, (node, build) => (node.op.kind === 'move' && node.op.view ? past(node, build) : undefined)),
});

function past(node: OpNode, build: GraphBuilder): Node | undefined {
  const { base, layout } = viewOf(node);
  let written = base;
  while (written.kind === 'op' && written.op.kind === 'write') {
    const [before, value] = written.inputs;
    if (!isNode(before) || !isNode(value)) break;
    const region = writtenLayout(written.attributes);
    const how = overlap(region, layout, written.meta.shape);
    if (how === 'equal') return value;
    if (how === 'unknown') break;
    written = before;
  }
  return written === base ? undefined : rebased(node, base, written, build);
}

/** The chain of views from `from` to `node`, over `onto` instead. */
function rebased(node: OpNode, from: Node, onto: Node, build: GraphBuilder): Node {
  const [input] = node.inputs;
  if (!isNode(input)) return node;
  const parent = input === from ? onto : input.kind === 'op' ? rebased(input, from, onto, build) : input;
  return build.op(node.op, [parent], node.attributes, node);
}
