/**
 * @file Gradients through a traced call. In: the function, a call, what its replay gave. Out: results whose gradient goes
 * back by running the function again, op by op, with the tape on: as checkpointing does, so that a replay saves nothing.
 */
import { byRunningAgain, type Rerun } from '../autograd/again.ts';
import { asBefore, copiesOf, type Was } from '../autograd/before.ts';
import { isWalked, save, type Kept, type Target } from '../autograd/history.ts';
import { attachAll, targetOf } from '../autograd/tape.ts';
import { JitLensError } from '../errors.ts';
import { isNode, type ExternalNode, type Graph, type Node, type NodeInput } from '../ir/graph.ts';
import { generatorState, isGenerator, withGenerator } from '../ops/random.ts';
import { gradMode } from '../ops/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { LeftGradient } from './record.ts';
import type { AnyFunction } from './trace.ts';
import type { Tree } from './tree.ts';

/** What a trace says about gradients; found out once, since it is asked at every call. */
export interface Flow {
  /** For each output, whether the recorded run's history led out of it, or did until the code itself walked it. */
  readonly outputs: readonly ('leads' | 'walked' | undefined)[];
  readonly held: readonly Tensor[];
  /** Tensors from outside that it writes in place. */
  readonly writes: readonly ExternalNode[];
  /** Whether it draws random numbers: the second run must draw the same ones. */
  readonly draws: boolean;
  /** Where the code leaves gradients. */
  readonly left: readonly LeftGradient[];
}

export function flowOf(
  recorded: Graph,
  { inputs, outputs, left }: Record<'inputs' | 'outputs', readonly Tensor[]> & Pick<Flow, 'left'>,
): Flow {
  const held = recorded.nodes.flatMap((node) => (isHeld(node) ? [node.tensor] : []));
  const sources = new Set([...inputs, ...held].flatMap((x) => targetOf(x) ?? []));
  const flowFrom = (target: Target) => (isWalked(target, sources) ? 'walked' : 'leads');
  return {
    outputs: outputs.map(targetOf).map((target) => target && flowFrom(target)),
    held,
    left,
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
  readonly written?: readonly Was[];
}

/** To be asked before the call. */
export function beforeCall(flow: Flow, call: Tree): Before {
  const { outputs, draws } = flow;
  if (!gradMode() || !outputs.includes('leads')) return {};
  return { generator: draws ? generatorState() : undefined, written: copiesOf(writtenBy(flow, call)) };
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
  const again = () => fn(...(call.rebuild(call.tensors) as never[]));
  const holders = flow.left.flatMap(({ tensor, position }) => tensor ?? call.tensors[position ?? -1] ?? []);
  return {
    run: () => (generator ? withGenerator(generator, again) : again()),
    asBefore: (body) => asBefore(written, body, holders),
    sources: sourcesOf(call, flow),
  };
}

export function letGradientsThrough(call: Tree, flow: Flow, results: readonly Tensor[], again: Again): void {
  const sources = sourcesOf(call, flow);
  const attach = (how: 'leads' | 'walked', kept: (places: readonly number[]) => Pick<Kept, 'saved' | 'backward'>) => {
    const places = flow.outputs.flatMap((is, i) => (is === how ? [i] : []));
    if (places.length === 0) return;
    attachAll(
      results.filter((_, i) => flow.outputs[i] === how),
      'a traced function',
      sources,
      () => kept(places),
    );
  };
  const own = new Set(writtenBy(flow, call));
  attach('leads', (places) => ({
    saved: sources.filter((x) => !own.has(x)).map(save),
    backward: byRunningAgain({ name: 'a trace', count: results.length, places, ...again }),
  }));
  attach('walked', () => ({ saved: [], backward: refuseSecondWalk }));
}

function refuseSecondWalk(): never {
  throw new JitLensError(
    'JLT-GRAD',
    'a gradient goes a second time through a traced function, which has walked back from this result itself',
    'Pass { retainGraph: true } to the backward() inside of it, or detach() what it returns.',
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
