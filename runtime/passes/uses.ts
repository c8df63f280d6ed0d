/** @file How often values are needed. In: a functional graph. Out: for each node how often it is read, returned or written. */
import { nodeInputs, type Graph, type Node } from '../ir/graph.ts';

export function usesOf(graph: Graph): ReadonlyMap<Node, number> {
  const uses = new Map<Node, number>();
  const read = [...graph.nodes.flatMap(nodeInputs), ...graph.outputs, ...graph.writes.map((w) => w.value)];
  for (const x of read) uses.set(x, (uses.get(x) ?? 0) + 1);
  return uses;
}
