/**
 * @file Runs a graph op by op on any device. In: a graph and the tensors of a call. Out: its outputs. It is how traced code
 * runs where there is no GPU, and what the values of an optimised graph are compared with.
 */
import { invariant } from '../errors.ts';
import { isNode, type Graph, type Node } from '../ir/graph.ts';
import { apply } from '../ops/apply.ts';
import { noGrad } from '../ops/tape.ts';
import { copy_ } from '../ops/ternary.ts';
import type { Layout } from '../tensor/layout.ts';
import { Tensor } from '../tensor/tensor.ts';

/** `view` gives a tensor's elements as the layout, over its storage, has them. */
export function interpret(graph: Graph, inputs: readonly Tensor[], view = viewOf): Tensor[] {
  const values = new Map<Node, Tensor>();
  const valueOf = (node: Node) => invariant(values.get(node), 'nodes run in order');
  for (const node of graph.nodes) {
    if (node.kind === 'external')
      values.set(node, invariant(node.tensor ?? inputs[node.position ?? -1], `${node.name} is bound`));
    else
      values.set(
        node,
        apply(
          node.op,
          node.inputs.map((x) => (isNode(x) ? valueOf(x) : x)),
          node.attributes,
        ),
      );
  }
  const outputs = graph.outputs.map(valueOf);
  const known = (x: Tensor | undefined) => invariant(x, 'what is returned is computed');
  // What the code may write was found when it was recorded.
  noGrad(() => graph.writes.forEach(({ target, value }) => copy_(valueOf(target), valueOf(value))));
  return (
    graph.returned?.map(({ of, layout }) => view(known(typeof of === 'number' ? outputs[of] : valueOf(of)), layout)) ?? outputs
  );
}

const viewOf = ({ storage }: Tensor, layout: Layout): Tensor => new Tensor(storage, layout);
