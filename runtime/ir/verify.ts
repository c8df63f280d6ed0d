/** @file The checks that hold after every pass. In: a graph. Out: nothing, or an error that names the first broken rule. */
import { invariant } from '../errors.ts';
import { sameShape } from '../tensor/shape.ts';
import { isNode, nodeName, type Graph, type Node } from './graph.ts';

export function verify(graph: Graph, properties: { functional: boolean }): void {
  const seen = new Set<Node>();
  const ids = new Set<number>();
  for (const node of graph.nodes) {
    const name = `${nodeName(node)} (%${node.id})`;
    invariant(!ids.has(node.id), `${name}: ids are unique`);
    invariant(node.origins.size > 0, `${name}: every node stands for something recorded`);
    for (const input of node.inputs) invariant(!isNode(input) || seen.has(input), `${name}: inputs precede their uses`);
    if (node.kind === 'op') {
      const meta = node.op.infer(
        node.inputs.map((input) => (isNode(input) ? input.meta : input)),
        node.attributes,
      );
      invariant(
        sameShape(meta.shape, node.meta.shape) && meta.dtype === node.meta.dtype,
        `${name}: shape and dtype follow from the inputs`,
      );
      invariant(!properties.functional || !node.op.inPlace, `${name}: a functional graph writes nothing in place`);
      invariant(node.stack.length > 0 || node.op.kind === 'create', `${name}: has a place in the source`);
    }
    seen.add(node);
    ids.add(node.id);
  }
  for (const output of graph.outputs) invariant(seen.has(output), 'outputs are computed');
  invariant(!properties.functional || graph.returned, 'a functional graph says what is returned');
  for (const { of } of graph.returned ?? [])
    invariant(typeof of === 'number' ? graph.outputs[of] : seen.has(of), 'what is returned is computed');
  for (const { target, value } of graph.writes) {
    invariant(seen.has(target) && seen.has(value), 'what is written back is computed');
    invariant(
      sameShape(target.meta.shape, value.meta.shape) && target.meta.dtype === value.meta.dtype,
      'what is written back fits',
    );
  }
}
