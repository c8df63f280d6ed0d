/** @file Makes a graph ready to run on a device. In: a recorded graph. Out: what runs it; a plan where the device has kernels. */
import type { Graph } from '../ir/graph.ts';
import { GpuBackend } from '../kernels/eager.ts';
import { optimise } from '../passes/pipeline.ts';
import type { Backend } from '../tensor/backend.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { compile, type Plan } from './compile.ts';
import { interpret } from './interpret.ts';
import type { Family } from './family.ts';
import { Replay } from './run.ts';

export interface Executable {
  /** Absent on the reference device, which runs graphs op by op. */
  readonly plan?: Plan;
  /** The graph after all passes. */
  readonly graph: Graph;
  readonly run: (inputs: readonly Tensor[]) => Tensor[];
}

/** `without` names passes to leave out; with a family the kernels are those of its other sizes. */
export function executable(recorded: Graph, backend: Backend, without?: readonly string[], family?: Family): Executable {
  if (!(backend instanceof GpuBackend)) {
    const { graph } = optimise(recorded, { without });
    return { graph, run: (inputs) => interpret(graph, inputs) };
  }
  const plan = compile(recorded, backend.gpu, without, family);
  // A function of many sizes would hold memory for each of them.
  const replay = new Replay(plan, backend, family ? 'each run' : 'all runs');
  return { plan, graph: plan.optimised.graph, run: (inputs) => replay.run(inputs) };
}
