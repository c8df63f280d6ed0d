/** @file Dead steps of a program. In: a program. Out: the same without what nothing uses; what is seen outside stays. */
import type { Graph } from '../../ir/graph.ts';
import {
  argumentsOf,
  isValue,
  stepsIn,
  type Argument,
  type Block,
  type LoopStep,
  type Program,
  type Step,
  type Value,
} from '../../ir/program.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export function prune(program: Program): Program {
  const live = new Set<Value>();
  use(program.body.yields, live);
  // What a loop hands on to itself may make more of it live.
  for (let before = -1; before !== live.size;) {
    before = live.size;
    mark(program.body, live);
  }
  return { ...program, body: swept(program.body, live) };
}

function use(args: readonly Argument[], live: Set<Value>): void {
  for (const x of args) if (isValue(x)) live.add(x);
}

/** Whether somebody outside sees what the step does. */
function isSeen(step: Step): boolean {
  switch (step.kind) {
    case 'effect':
      return true;
    case 'segment':
      return writesOutside(step.graph);
    case 'if':
      return step.then.steps.some(isSeen) || step.otherwise.steps.some(isSeen);
    case 'loop':
      return step.body.steps.some(isSeen);
    case 'host':
    case 'lift':
    case 'read':
      return false;
  }
}

/** Also random numbers that are drawn: those after them are others then. */
export function writesOutside(graph: Graph): boolean {
  return graph.nodes.some((node) => node.kind === 'op' && node.op.inPlace !== undefined && reachesOutside(node.inputs[0]));
}

function reachesOutside(target: Graph['nodes'][number] | number | undefined): boolean {
  const base = baseOf(target);
  return base?.kind === 'external' && !base.made;
}

function outputsOf(step: Step): readonly Value[] {
  switch (step.kind) {
    case 'host':
    case 'lift':
    case 'read':
      return [step.output];
    case 'effect':
      return [];
    default:
      return step.outputs;
  }
}

function mark(block: Block, live: Set<Value>): void {
  for (const step of [...block.steps].reverse()) {
    if (!isSeen(step) && !outputsOf(step).some((x) => live.has(x))) continue;
    if (step.kind === 'if') {
      step.outputs.forEach((out, i) => {
        if (live.has(out))
          use(
            [step.then.yields[i], step.otherwise.yields[i]].filter((x) => x !== undefined),
            live,
          );
      });
      mark(step.then, live);
      mark(step.otherwise, live);
    }
    if (step.kind === 'loop') {
      kept(step, live).forEach((i) =>
        use(
          [step.body.yields[i]].filter((x) => x !== undefined),
          live,
        ),
      );
      if (step.again) use([step.again], live);
      mark(step.body, live);
      use(
        [step.trips, step.enter].filter((x) => x !== undefined),
        live,
      );
      use(
        step.initial.filter((_, i) => isKept(step, i, live)),
        live,
      );
      continue;
    }
    use(argumentsOf(step), live);
  }
}

function isKept(step: LoopStep, i: number, live: Set<Value>): boolean {
  const [out, param] = [step.outputs[i], step.params[i]];
  return (out !== undefined && live.has(out)) || (param !== undefined && live.has(param));
}

/** Positions of a loop's outputs that are used, by the next turn or after it. */
function kept(step: LoopStep, live: Set<Value>): number[] {
  return step.outputs.map((_, i) => i).filter((i) => isKept(step, i, live));
}

function swept(block: Block, live: Set<Value>): Block {
  const steps = block.steps.flatMap((step): Step[] => {
    if (!isSeen(step) && !outputsOf(step).some((x) => live.has(x))) return [];
    if (step.kind === 'segment') {
      const places = step.outputs.map((_, i) => i).filter((i) => live.has(step.outputs[i] as Value));
      const graph = { ...step.graph, outputs: places.map((i) => step.graph.outputs[i] as Graph['outputs'][number]) };
      return [{ ...step, graph, outputs: places.map((i) => step.outputs[i] as Value) }];
    }
    if (step.kind === 'if') {
      const places = step.outputs.map((_, i) => i).filter((i) => live.has(step.outputs[i] as Value));
      return [
        {
          ...step,
          outputs: at(step.outputs, places),
          then: arm(step.then, places, live),
          otherwise: arm(step.otherwise, places, live),
        },
      ];
    }
    if (step.kind === 'loop') {
      const places = kept(step, live);
      const params = places.filter((i) => i < step.params.length);
      return [
        {
          ...step,
          outputs: at(step.outputs, places),
          params: at(step.params, params),
          initial: at(step.initial, params),
          body: arm(step.body, places, live),
        },
      ];
    }
    return [step];
  });
  return { steps, yields: block.yields };
}

function at<T>(items: readonly T[], places: readonly number[]): T[] {
  return items.filter((_, i) => places.includes(i));
}

function arm(block: Block, places: readonly number[], live: Set<Value>): Block {
  return { ...swept(block, live), yields: at(block.yields, places) };
}

/** Which of the code's own tensors a run writes. */
export function changesOutside(program: Program, held: readonly Tensor[]): Tensor[] {
  const written = new Set<object>();
  for (const step of stepsIn(program.body)) {
    if (step.kind !== 'segment') continue;
    for (const node of step.graph.nodes) {
      if (node.kind !== 'op' || !node.op.inPlace) continue;
      const base = baseOf(node.inputs[0]);
      if (base?.kind === 'external' && base.tensor && !base.made) written.add(base.tensor.storage);
    }
  }
  return held.filter((x) => written.has(x.storage));
}

function baseOf(target: Graph['nodes'][number] | number | undefined): Graph['nodes'][number] | undefined {
  if (typeof target !== 'object') return undefined;
  const isView = target.kind === 'op' && (target.op.kind === 'move' || target.op.inPlace !== undefined);
  return isView ? baseOf(target.inputs[0]) : target;
}
