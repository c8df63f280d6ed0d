/**
 * @file From a recorded graph to a plan. In: the graph and the GPU. Out: kernels with their pipelines, what each binds, and
 * the memory between them. A plan is made once for a signature and replayed from then on; what took long to choose is kept on
 * disk for the next process.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Pipeline } from '../device/pipelines.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { layoutOf } from '../ir/graph.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { groupName, type FusedGroup, type Fusion } from '../passes/fuse.ts';
import { bytesOf, type MemoryPlan } from '../passes/memory.ts';
import { optimise, type Optimised } from '../passes/pipeline.ts';
import type { CompileStage } from '../profile/model.ts';
import { choose } from './choose.ts';
import type { Family } from './family.ts';
import { KeptPlan } from './kept.ts';
import type { Place } from './places.ts';
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';

export interface PlannedKernel {
  readonly name: string;
  readonly group: FusedGroup;
  readonly reads: readonly Node[];
  readonly kernel: Kernel<Place>;
  readonly pipeline: Pipeline;
}

export interface Plan {
  readonly recorded: Graph;
  readonly optimised: Optimised;
  readonly fusion: Fusion;
  readonly kernels: readonly PlannedKernel[];
  readonly memory: MemoryPlan;
  /** Stored nodes that outlive a run, each in a buffer of its own. */
  readonly results: readonly Node[];
  /** Stored nodes that go right into the tensor from outside which they replace. */
  readonly inPlace: ReadonlyMap<Node, ExternalNode>;
  /** What took how long, once `ready`. */
  readonly stages: readonly CompileStage[];
  /** Resolves when all pipelines are there, or were refused. */
  readonly ready: Promise<void>;
}

/** The stage that goes on while the code does. */
export const PIPELINES = 'pipelines';

/** `without` names passes to leave out; with a family the kernels are those of its other sizes. */
export function compile(recorded: Graph, gpu: Gpu, without?: readonly string[], family?: Family): Plan {
  const stages: CompileStage[] = [];
  const since = (name: string, start: number): void => void stages.push({ name, ms: performance.now() - start });
  const timed = <T>(name: string, body: () => T): T => {
    const start = performance.now();
    const value = body();
    since(name, start);
    return value;
  };
  const optimised = timed('passes', () => family?.optimised(recorded, without) ?? optimise(recorded, { without }));
  const looked = performance.now();
  const kept = family ? undefined : KeptPlan.of(optimised.graph, gpu, without);
  const known = kept?.read();
  if (kept) since(known ? 'from the cache' : 'not in the cache', looked);
  const chosen = known ?? family?.choose(optimised.graph, gpu, timed) ?? choose(optimised.graph, gpu, timed);
  if (!known) kept?.write(chosen);
  const { fusion, inPlace, places } = chosen;
  const lineOrigins = new Map(fusion.graph.nodes.map((node) => [node.id, node.origins.values().next().value ?? node.id]));
  const asked = performance.now();
  const kernels = chosen.kernels.map(({ group, reads, kernel }): PlannedKernel => {
    const origins = kernel.text.origins.map((id) => lineOrigins.get(id) ?? -1);
    const pipeline = gpu.pipelines.get(kernel.form);
    return { name: groupName(group), group, reads, kernel: { ...kernel, text: { ...kernel.text, origins } }, pipeline };
  });
  const ready = Promise.all(kernels.map((k) => k.pipeline.settled)).then(() => since(PIPELINES, asked));
  const { results, memory } = places;
  return { recorded, optimised, fusion, kernels, memory, results, inPlace, stages, ready };
}

/** Bytes that a kernel must read and write: each tensor once. */
export function kernelBytes({ reads, group }: Pick<PlannedKernel, 'reads' | 'group'>): number {
  const read = (node: Node) => Math.min(bytesOf(node), dtypes[node.meta.dtype].bytes * numel(layoutOf(node).shape));
  return [...reads.map(read), ...group.roots.map(bytesOf)].reduce((sum, bytes) => sum + bytes, 0);
}
