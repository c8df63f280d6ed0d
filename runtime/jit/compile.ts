/**
 * @file From a recorded graph to a plan. In: the graph and the GPU. Out: kernels with their pipelines, what each binds, and
 * the memory between them. A plan is made once for a signature and replayed from then on.
 */
import { invariant } from '../errors.ts';
import type { Gpu } from '../device/gpu.ts';
import type { Pipeline } from '../device/pipelines.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { layoutOf } from '../ir/graph.ts';
import { buildKernel, type Kernel } from '../kernels/kernel.ts';
import { lower, type Lowered } from '../kernels/lower.ts';
import { fuse, groupName, type FusedGroup, type Fusion } from '../passes/fuse.ts';
import { bytesOf, planMemory, type MemoryPlan } from '../passes/memory.ts';
import { optimise, type Optimised } from '../passes/pipeline.ts';
import type { CompileStage } from '../profile/model.ts';
import { writtenInPlace } from './in-place.ts';
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';

/** Where a kernel finds one of its tensors. */
export type Place =
  | { readonly kind: 'external'; readonly node: ExternalNode }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'result'; readonly result: number };

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
  readonly stages: readonly CompileStage[];
}

/** `without` names passes to leave out. */
export function compile(recorded: Graph, gpu: Gpu, without?: readonly string[]): Plan {
  const stages: CompileStage[] = [];
  const timed = <T>(name: string, body: () => T): T => {
    const start = performance.now();
    const value = body();
    stages.push({ name, ms: performance.now() - start });
    return value;
  };
  const optimised = timed('passes', () => optimise(recorded, { without }));
  const fusion = timed('fusion', () => fuse(optimised.graph, { maxStorageBuffers: gpu.maxStorageBuffers }));
  const { graph } = fusion;
  const lowered = timed('kernels', () =>
    fusion.groups
      .filter((group) => group.roots.some((root) => numel(root.meta.shape) > 0))
      .map((group) => ({ group, lowered: lower(group) })),
  );
  const inPlace = writtenInPlace(
    graph,
    lowered.map((k) => k.lowered),
  );
  const results = [...new Set([...graph.outputs, ...graph.writes.map((w) => w.value)])].filter((node) => !inPlace.has(node));
  const memory = planMemory(fusion.groups, new Set([...results, ...inPlace.keys()]));
  const places = new Places(results, inPlace, memory);
  const texts = timed('kernels', () =>
    lowered.map(({ group, lowered: own }) => ({
      name: groupName(group),
      group,
      reads: own.reads,
      kernel: buildKernel(own, (i) => placed(places, own, i), { parametric: false, target: gpu.target }),
    })),
  );
  const kernels = timed('pipelines', () => texts.map((k) => ({ ...k, pipeline: gpu.pipelines.get(k.kernel.form) })));
  return { recorded, optimised, fusion, kernels, memory, results, inPlace, stages };
}

function placed(places: Places, { reads, roots }: Lowered, position: number) {
  const node = invariant(reads[position] ?? roots[position - reads.length], 'a tensor for each position');
  return { storage: places.of(node), dtype: node.meta.dtype };
}

/** One object for one place, so that kernels can tell which of their tensors share memory. */
class Places {
  private readonly made = new Map<string, Place>();

  constructor(
    private readonly results: readonly Node[],
    private readonly inPlace: ReadonlyMap<Node, ExternalNode>,
    private readonly memory: MemoryPlan,
  ) {}

  of(stored: Node): Place {
    const node = this.inPlace.get(stored) ?? stored;
    if (node.kind === 'external') return this.share(`e${node.storage}`, { kind: 'external', node });
    const slot = this.memory.slotOf.get(node);
    if (slot !== undefined) return this.share(`s${slot}`, { kind: 'slot', slot });
    const result = this.results.indexOf(node);
    return this.share(`r${result}`, { kind: 'result', result });
  }

  private share(key: string, place: Place): Place {
    const known = this.made.get(key) ?? place;
    this.made.set(key, known);
    return known;
  }
}

/** Bytes that a kernel must read and write: each tensor once. */
export function kernelBytes({ reads, group }: Pick<PlannedKernel, 'reads' | 'group'>): number {
  const read = (node: Node) => Math.min(bytesOf(node), dtypes[node.meta.dtype].bytes * numel(layoutOf(node).shape));
  return [...reads.map(read), ...group.roots.map(bytesOf)].reduce((sum, bytes) => sum + bytes, 0);
}
