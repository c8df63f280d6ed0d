/**
 * @file From a recorded graph to a plan. In: the graph and the GPU. Out: kernels with their pipelines, what each binds, and
 * the memory between them. A plan is made once for a signature and replayed from then on; what took long to choose is kept on
 * disk for the next process.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Runnable } from '../device/pipelines.ts';
import { invariant } from '../errors.ts';
import type { Graph, Node } from '../ir/graph.ts';
import { layoutOf } from '../ir/graph.ts';
import type { Kernel } from '../kernels/kernel.ts';
import type { Fusion } from '../passes/fuse.ts';
import { groupName } from '../passes/group-name.ts';
import { floorOf, flopsOf } from '../passes/cost.ts';
import { bytesOf, type MemoryPlan } from '../passes/memory.ts';
import { optimise, type Optimised } from '../passes/pipeline.ts';
import type { CompileStage } from '../profile/model.ts';
import { choose, type KernelSection } from './choose.ts';
import type { Family } from './family.ts';
import { KeptPlan } from './kept.ts';
import type { InPlace, Place } from './places.ts';
import { dtypes } from '../tensor/dtype.ts';
import { extent } from '../tensor/layout.ts';
import { numel } from '../tensor/shape.ts';
import { tried } from './trials.ts';

export class PlannedKernel {
  private settled: Kernel<Place> | undefined;

  constructor(
    readonly name: string,
    readonly sections: readonly KernelSection[],
    readonly pipeline: Runnable,
    /** Microseconds that it takes at least on a fast GPU. */
    readonly floor: number,
    private readonly current: () => Kernel<Place>,
  ) {}

  /** Of several candidates the one that runs, or, until that is known, the one that should be the fastest. */
  get kernel(): Kernel<Place> {
    if (this.settled) return this.settled;
    const kernel = this.current();
    if (this.pipeline.isSettled) this.settled = kernel;
    return kernel;
  }
}

export interface Plan {
  readonly recorded: Graph;
  readonly optimised: Optimised;
  readonly fusion: Fusion;
  readonly kernels: readonly PlannedKernel[];
  readonly memory: MemoryPlan;
  /** Stored nodes that outlive a run, each in a buffer of its own. */
  readonly results: readonly Node[];
  readonly inPlace: InPlace;
  /** What took how long, once `ready`. */
  readonly stages: readonly CompileStage[];
  /** Resolves when all pipelines are there, or were refused. */
  readonly ready: Promise<void>;
}

/** The stage that goes on while the code does: pipelines are compiled, and candidates tried. */
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
  const chosen = known ?? family?.choose(optimised.graph, gpu, timed) ?? choose(optimised.graph, gpu, timed, without);
  const { fusion, inPlace, places } = chosen;
  const lineOrigins = new Map(fusion.graph.nodes.map((node) => [node.id, node.origins.values().next().value ?? node.id]));
  const asked = performance.now();
  const placed = (kernel: Kernel<Node>): Kernel<Place> => {
    const origins = kernel.text.origins.map((id) => lineOrigins.get(id) ?? -1);
    return { ...kernel, storages: kernel.storages.map((node) => places.of(node)), text: { ...kernel.text, origins } };
  };
  const runs = chosen.kernels.map(({ kernel, rivals = [] }) =>
    tried(gpu, [kernel, ...rivals], () => kernel.storages.map((node) => bytesBehind(node, fusion.graph))),
  );
  const kernels = chosen.kernels.map(({ sections }, i): PlannedKernel => {
    const { runnable, kernel } = invariant(runs[i], 'a run for each kernel');
    const flops = sections.flatMap((s) => [...s.group.inside]).reduce((sum, node) => sum + flopsOf(node), 0);
    const floor = floorOf(flops, kernelBytes({ sections }));
    return new PlannedKernel(nameOf(sections), sections, runnable, floor, () => placed(kernel()));
  });
  const ready = Promise.all(runs.map((r) => r.runnable.settled)).then(() => since(PIPELINES, asked));
  if (!known) {
    const decided = () => chosen.kernels.map((k, i) => ({ sections: k.sections, kernel: runs[i]?.kernel() ?? k.kernel }));
    const keep = () => {
      const all = runs.every((r) => r.isDecided());
      if (all) kept?.write({ ...chosen, kernels: decided() });
      return all;
    };
    // What is kept is what turned out to be the fastest, if the device said so.
    if (!keep()) void ready.then(keep);
  }
  const { results, memory } = places;
  return { recorded, optimised, fusion, kernels, memory, results, inPlace, stages, ready };
}

/** The names of its groups, those that are alike counted. */
function nameOf(sections: readonly KernelSection[]): string {
  const counts = new Map<string, number>();
  for (const name of sections.map((s) => groupName(s.group))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${count}_${name}` : name)).join('_beside_');
}

/** All that it reads and stores, each tensor once. */
export function tensorsOf({ sections }: Pick<PlannedKernel, 'sections'>): { reads: Node[]; roots: Node[] } {
  return { reads: [...new Set(sections.flatMap((s) => s.reads))], roots: sections.flatMap((s) => s.group.roots) };
}

/** Bytes that a kernel must read and write: each tensor once. */
export function kernelBytes(kernel: Pick<PlannedKernel, 'sections'>): number {
  const { reads, roots } = tensorsOf(kernel);
  const read = (node: Node) => Math.min(bytesOf(node), dtypes[node.meta.dtype].bytes * numel(layoutOf(node).shape));
  return [...reads.map(read), ...roots.map(bytesOf)].reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of the memory that a tensor stands for. */
function bytesBehind(node: Node, { nodes }: Graph): number {
  if (node.kind === 'op') return bytesOf(node);
  const views = nodes.filter((n) => n.kind === 'external' && n.storage === node.storage);
  return Math.max(...views.map((v) => dtypes[v.meta.dtype].bytes * (layoutOf(v).offset + extent(layoutOf(v)))));
}
