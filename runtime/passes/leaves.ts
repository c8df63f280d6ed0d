/** @file What a kernel reads. In: nodes that it computes, and all that it does. Out: the tensors from outside it that those need. */
import { nodeInputs, type Node } from '../ir/graph.ts';

export function leavesOf(nodes: Iterable<Node>, inside: ReadonlySet<Node>): Set<Node> {
  const found = new Set<Node>();
  const within = new Set(nodes);
  for (const node of within) {
    for (const input of nodeInputs(node)) (inside.has(input) ? within : found).add(input);
  }
  return found;
}
