/**
 * @file What takes long in a compile: which nodes become one kernel, and the texts of the kernels. In: an optimised graph and the
 * device. Out: all that a plan needs of it, which is the same for every graph that reads the same.
 */
import type { Gpu } from '../device/gpu.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { buildKernel, type Kernel, type StorageOf } from '../kernels/kernel.ts';
import { lower, type Lowered } from '../kernels/lower.ts';
import { fuse, type FusedGroup, type Fusion } from '../passes/fuse.ts';
import { numel } from '../tensor/shape.ts';
import { invariant } from '../errors.ts';
import { writtenInPlace } from './in-place.ts';
import { Places, type Place } from './places.ts';

export interface Chosen {
  readonly fusion: Fusion;
  /** Stored nodes that go right into the tensor from outside which they replace. */
  readonly inPlace: ReadonlyMap<Node, ExternalNode>;
  readonly places: Places;
  readonly kernels: readonly ChosenKernel[];
}

export interface ChosenKernel {
  readonly group: FusedGroup;
  readonly reads: readonly Node[];
  /** The origins of its lines are ids of nodes in the graph that was fused. */
  readonly kernel: Kernel<Place>;
}

/** Runs a stage that has a name. */
export type Timed = <T>(stage: string, body: () => T) => T;

export function choose(graph: Graph, gpu: Gpu, timed: Timed): Chosen {
  const fusion = timed('fusion', () => fuse(graph, { maxStorageBuffers: gpu.maxStorageBuffers }));
  return withKernels(fusion, timed, (own, storageOf) => buildKernel(own, storageOf, { parametric: false, target: gpu.target }));
}

/** `build` makes the kernel of the group that has this place among the groups. */
export function withKernels(
  fusion: Fusion,
  timed: Timed,
  build: (own: Lowered, storageOf: StorageOf<Place>, group: number) => Kernel<Place>,
): Chosen {
  const lowered = timed('kernels', () =>
    fusion.groups.flatMap((group, place) =>
      group.roots.some((root) => numel(root.meta.shape) > 0) ? [{ group, place, own: lower(group) }] : [],
    ),
  );
  const inPlace = writtenInPlace(
    fusion.graph,
    lowered.map((k) => k.own),
  );
  const places = new Places(fusion, inPlace);
  const kernels = timed('kernels', () =>
    lowered.map(({ group, place, own }): ChosenKernel => {
      const tensors = [...own.reads, ...own.roots];
      const storageOf = (i: number) => places.storageOf(invariant(tensors[i], 'a tensor for each position'));
      return { group, reads: own.reads, kernel: build(own, storageOf, place) };
    }),
  );
  return { fusion, inPlace, places, kernels };
}
