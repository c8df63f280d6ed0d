/**
 * @file A recorded graph whose tensors never change. In: what a trace recorded. Out: the same graph over copies of the tensors that
 * the code holds, as they are now. Refuses code that changes them, or gives them away.
 */
import { JitLensError } from '../errors.ts';
import { isNode, withInputs, type ExternalNode, type Graph, type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { withRecorder } from '../ops/recorder.ts';
import { noGrad } from '../ops/tape.ts';
import { outsideScopes } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { isHeld, outsideOf } from './differentiate.ts';

export function frozen(recorded: Graph): Graph {
  for (const node of recorded.nodes) if (node.kind === 'op' && node.op.inPlace) refuseWrite(node);
  for (const output of recorded.outputs) refuseGivenAway(output);
  let storage = Math.max(0, ...recorded.nodes.map((node) => (node.kind === 'external' ? node.storage : 0)));
  const now = new Map<Node, Node>();
  const current = (x: NodeInput) => (isNode(x) ? (now.get(x) ?? x) : x);
  for (const node of recorded.nodes) {
    if (node.kind === 'op') now.set(node, withInputs(node, node.inputs.map(current)));
    else if (isHeld(node)) now.set(node, copied(node, ++storage));
    else if (node.made) now.set(node, { ...node, frozen: true });
  }
  const all = (nodes: readonly Node[]) => nodes.map((node) => now.get(node) ?? node);
  return { ...recorded, nodes: all(recorded.nodes), outputs: all(recorded.outputs) };
}

function copied(node: ExternalNode & { readonly tensor: Tensor }, storage: number): ExternalNode {
  const tensor = withRecorder(undefined, () => outsideScopes(() => noGrad(() => node.tensor.clone())));
  return { ...node, tensor, layout: tensor.layout, storage, frozen: true };
}

/** The tensor of the code's own that a value is, or is a view of. */
function heldBehind(x: NodeInput | undefined): ExternalNode | undefined {
  const base = outsideOf(x);
  return base && isHeld(base) ? base : undefined;
}

function refuseWrite({ op, inputs: [target], stack }: OpNode): void {
  const held = heldBehind(target);
  if (!held) return;
  throw new JitLensError(
    'JLT-FREEZE',
    `${op.name} writes into ‘${held.name}’, which would be frozen`,
    'Freeze code in use: call eval() on the module before it is traced; state that changes can be passed as an argument.',
    stack[0],
  );
}

function refuseGivenAway(output: Node): void {
  const held = heldBehind(output);
  if (!held) return;
  throw new JitLensError(
    'JLT-FREEZE',
    `the function gives ‘${held.name}’ itself, which would be frozen, and could be written`,
    'Return a copy: clone().',
    output.stack[0],
  );
}
