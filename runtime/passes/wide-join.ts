/**
 * @file Joins of more tensors than a kernel can bind. In: a graph, and where a join is cut. Out: the graph with the join as a join of
 * joins, each of which one kernel can lay together.
 */
import { isNode, rewrite, type Graph } from '../ir/graph.ts';

/** Marks a join that is a part of a larger one. */
export const PIECE = 'piece';

/** A join and the parts of it that one kernel each can lay together. */
export interface WideJoin {
  /** Its place in the graph. */
  readonly place: number;
  /** How many of its operands each part takes. */
  readonly sizes: readonly number[];
}

/** The graph with the join as a join of joins. */
export function inPieces(graph: Graph, { place, sizes }: WideJoin): Graph {
  return rewrite(graph, (node, build, before) => {
    if (before !== graph.nodes[place]) return undefined;
    let next = 0;
    const joined = sizes.map((size) => {
      const inputs = node.inputs.slice(next, (next += size));
      const [only] = inputs;
      return inputs.length === 1 && isNode(only) ? only : build.op(node.op, inputs, { ...node.attributes, [PIECE]: true }, node);
    });
    return build.op(node.op, joined, node.attributes, node);
  });
}
