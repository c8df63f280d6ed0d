/**
 * @file Gradients through a traced call. In: the function, a call, what its replay gave. Out: results whose gradient goes
 * back by running the function again, op by op, with the tape on: as checkpointing does, so that a replay saves nothing.
 */
import { byRunningAgain } from '../autograd/again.ts';
import { save } from '../autograd/history.ts';
import { attachAll, targetOf } from '../autograd/tape.ts';
import { JitLensError } from '../errors.ts';
import { isNode, type ExternalNode, type Graph, type Node, type NodeInput } from '../ir/graph.ts';
import { isGenerator, withGenerator } from '../ops/random.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AnyFunction } from './trace.ts';
import type { Tree } from './tree.ts';

/** What a trace says about gradients; found out once, since it is asked at every call. */
export interface Flow {
  /** For each output, whether the recorded run's history led out of it. */
  readonly outputs: readonly boolean[];
  readonly held: readonly Tensor[];
  readonly writesOutside: boolean;
  /** Whether it draws random numbers: the second run must draw the same ones. */
  readonly draws: boolean;
}

export function flowOf(recorded: Graph, outputs: readonly Tensor[]): Flow {
  return {
    outputs: outputs.map((x) => targetOf(x) !== undefined),
    held: recorded.nodes.flatMap((node) => (isHeld(node) ? [node.tensor] : [])),
    writesOutside: recorded.nodes.some((node) => node.kind === 'op' && node.op.inPlace && touchesOutside(node.inputs[0])),
    draws: recorded.nodes.some((node) => node.kind === 'op' && node.op.kind === 'random'),
  };
}

/** A tensor of the code's own; the generator's state is nobody's. */
export function isHeld(node: Node): node is ExternalNode & { readonly tensor: Tensor } {
  return node.kind === 'external' && !node.made && node.tensor !== undefined && !isGenerator(node.tensor);
}

/** `generator` is the state that random numbers were drawn from in this call. */
export function letGradientsThrough(
  fn: AnyFunction,
  call: Tree,
  flow: Flow,
  results: readonly Tensor[],
  generator: Tensor | undefined,
): void {
  const places = flow.outputs.flatMap((leads, i) => (leads ? [i] : []));
  if (places.length === 0) return;
  const sources = [...call.tensors, ...flow.held];
  const run = () => {
    if (flow.writesOutside) {
      throw new JitLensError(
        'JLT-GRAD',
        'the traced function writes in place into a tensor from outside, so it cannot run again for its gradient',
        'Call backward() inside the traced function.',
      );
    }
    const again = () => fn(...(call.rebuild(call.tensors) as never[]));
    return generator ? withGenerator(generator, again) : again();
  };
  attachAll(
    results.filter((_, i) => flow.outputs[i]),
    'a traced function',
    sources,
    () => ({
      saved: sources.map(save),
      backward: byRunningAgain({ name: 'a trace', run, count: results.length, places, sources }),
    }),
  );
}

/** Whether an in-place op's target is, or is a view of, a tensor from outside. */
function touchesOutside(target: NodeInput | undefined): boolean {
  const base = outsideOf(target);
  return base !== undefined && !(base.tensor && isGenerator(base.tensor));
}

/** The tensor from outside that a recorded value is, or is a view of. */
export function outsideOf(x: NodeInput | undefined): ExternalNode | undefined {
  if (!isNode(x)) return undefined;
  if (x.kind === 'external') return x;
  return x.op.kind === 'move' && x.op.view ? outsideOf(x.inputs[0]) : undefined;
}
