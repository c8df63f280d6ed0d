/**
 * @file Joins of more tensors than a kernel can bind. In: a graph, and where a join is cut. Out: the graph with the join as a join of
 * joins, each of which one kernel can lay together.
 */
import { isNode, nodeInputs, rewrite, type Graph, type Node } from '../ir/graph.ts';
import type { Group } from '../kernels/lower.ts';
import { leavesOf } from './leaves.ts';

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

/** A join that reads more tensors than a kernel can bind, cut where each part reads few enough. */
export function widestJoin(graph: Graph, groups: readonly Group[], limit: number): WideJoin | undefined {
  for (const { inside } of groups) {
    for (const join of inside) {
      if (join.kind !== 'op' || join.op.kind !== 'join' || leavesOf([join], inside).size <= limit) continue;
      const pieces: Node[][] = [];
      let read = new Set<Node>();
      for (const input of nodeInputs(join)) {
        const more = inside.has(input) ? leavesOf([input], inside) : [input];
        const together = new Set([...read, ...more]);
        const fits = together.size <= limit && pieces.length > 0;
        if (!fits) pieces.push([]);
        pieces.at(-1)?.push(input);
        read = fits ? together : new Set(more);
      }
      if (pieces.length > 1 && pieces.some((piece) => piece.length > 1))
        return { place: graph.nodes.indexOf(join), sizes: pieces.map((piece) => piece.length) };
    }
  }
  return undefined;
}
