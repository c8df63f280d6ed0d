/**
 * @file Gradients through a traced call. In: the function, a call, what its replay gave. Out: results whose gradient goes
 * back by running the function again, op by op, with the tape on: as checkpointing does, so that a replay saves nothing.
 */
import { byRunningAgain, type Rerun } from '../autograd/again.ts';
import { asBefore, copiesOf, type Was } from '../autograd/before.ts';
import { save } from '../autograd/history.ts';
import { attachAll, targetOf } from '../autograd/tape.ts';
import { JitLensError } from '../errors.ts';
import { isNode, type ExternalNode, type Graph, type Node, type NodeInput } from '../ir/graph.ts';
import { generatorState, isGenerator, withGenerator } from '../ops/random.ts';
import { gradMode } from '../ops/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { AnyFunction } from './trace.ts';
import type { Tree } from './tree.ts';

/** What a trace says about gradients; found out once, since it is asked at every call. */
export interface Flow {
  /** For each output, whether the recorded run's history led out of it. */
  readonly outputs: readonly boolean[];
  readonly held: readonly Tensor[];
  /** Tensors from outside that it writes in place. */
  readonly writes: readonly ExternalNode[];
  /** Whether it draws random numbers: the second run must draw the same ones. */
  readonly draws: boolean;
}

export function flowOf(recorded: Graph, outputs: readonly Tensor[]): Flow {
  return {
    outputs: outputs.map((x) => targetOf(x) !== undefined),
    held: recorded.nodes.flatMap((node) => (isHeld(node) ? [node.tensor] : [])),
    writes: [
      ...new Set(recorded.nodes.flatMap((node) => (node.kind === 'op' && node.op.inPlace ? outsideTarget(node.inputs[0]) : []))),
    ],
    draws: recorded.nodes.some((node) => node.kind === 'op' && node.op.kind === 'random'),
  };
}

/** A tensor of the code's own; the generator's state is nobody's. */
export function isHeld(node: Node): node is ExternalNode & { readonly tensor: Tensor } {
  return node.kind === 'external' && !node.made && node.tensor !== undefined && !isGenerator(node.tensor);
}

/** What running a call again needs to find as it was. */
export interface Before {
  /** The state that random numbers are drawn from. */
  readonly generator?: Tensor;
  /** Absent where what it writes is not known. */
  readonly written?: readonly Was[];
}

/** To be asked before the call. */
export function beforeCall(flow: Flow, call: Tree): Before {
  const { outputs, draws } = flow;
  if (!gradMode() || !outputs.some(Boolean)) return {};
  const written = writtenBy(flow, call);
  // Code that writes what is trained has walked back already: nothing leads out of it.
  const isTrained = written.some((x) => x.requiresGrad);
  return { generator: draws ? generatorState() : undefined, written: isTrained ? undefined : copiesOf(written) };
}

function writtenBy({ writes }: Flow, { tensors }: Tree): readonly Tensor[] {
  return writes.flatMap(({ tensor, position }) => tensor ?? tensors[position ?? -1] ?? []);
}

/** Code that gives the results once more, with their history, and the tensors that this begins with, in the order of a call's. */
export type Again = Pick<Rerun, 'run' | 'asBefore' | 'sources'>;

export function sourcesOf(call: Pick<Tree, 'tensors'>, flow: Flow): readonly Tensor[] {
  return [...call.tensors, ...flow.held];
}

export function runAgain(fn: AnyFunction, call: Tree, flow: Flow, { generator, written = [] }: Before): Again {
  const run = () => {
    if (flow.writes.length > written.length) {
      throw new JitLensError(
        'JLT-GRAD',
        'the traced function writes in place into a tensor from outside, so it cannot run again for its gradient',
        'Call backward() inside the traced function.',
      );
    }
    const again = () => fn(...(call.rebuild(call.tensors) as never[]));
    return generator ? withGenerator(generator, again) : again();
  };
  return { run, asBefore: (body) => asBefore(written, body), sources: sourcesOf(call, flow) };
}

export function letGradientsThrough(call: Tree, flow: Flow, results: readonly Tensor[], again: Again): void {
  const places = flow.outputs.flatMap((leads, i) => (leads ? [i] : []));
  if (places.length === 0) return;
  const sources = sourcesOf(call, flow);
  const own = new Set(writtenBy(flow, call));
  attachAll(
    results.filter((_, i) => flow.outputs[i]),
    'a traced function',
    sources,
    () => ({
      saved: sources.filter((x) => !own.has(x)).map(save),
      backward: byRunningAgain({ name: 'a trace', count: results.length, places, ...again }),
    }),
  );
}

/** What an in-place op writes that is, or is a view of, a tensor from outside. */
function outsideTarget(target: NodeInput | undefined): ExternalNode[] {
  const base = outsideOf(target);
  return base && !(base.tensor && isGenerator(base.tensor)) ? [base] : [];
}

/** The tensor from outside that a recorded value is, or is a view of. */
export function outsideOf(x: NodeInput | undefined): ExternalNode | undefined {
  if (!isNode(x)) return undefined;
  if (x.kind === 'external') return x;
  return x.op.kind === 'move' && x.op.view ? outsideOf(x.inputs[0]) : undefined;
}
