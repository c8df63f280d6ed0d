/** @file What never changes in a frozen graph. In: a graph. Out: its nodes that are the same at every call; none of a graph that is not frozen. */
import { isNode, type Graph, type Node, type NodeInput } from '../ir/graph.ts';

/** Frozen tensors, what is made of attributes, and what is computed from such alone. Random numbers are not: the generator's state changes. */
export function constantsOf({ nodes }: Graph): Set<Node> {
  const constants = new Set<Node>();
  if (!nodes.some((node) => node.kind === 'external' && node.frozen)) return constants;
  const isConstant = (x: NodeInput) => !isNode(x) || constants.has(x);
  for (const node of nodes) {
    if (node.kind === 'external' ? node.frozen : node.inputs.every(isConstant)) constants.add(node);
  }
  return constants;
}
