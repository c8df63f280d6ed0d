/**
 * @file What takes long in a compile: which nodes become one kernel, and the texts of the kernels. In: an optimised graph and the
 * device. Out: all that a plan needs of it, which is the same for every graph that reads the same.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Graph, Node } from '../ir/graph.ts';
import { buildKernel, planSections, type Kernel, type Section, type StorageOf } from '../kernels/kernel.ts';
import { lower, type Lowered } from '../kernels/lower.ts';
import { fuse, type FusedGroup, type Fusion } from '../passes/fuse.ts';
import { sideBySide, SIDE_BY_SIDE } from '../passes/side-by-side.ts';
import { WALKS } from '../passes/walking.ts';
import { numel } from '../tensor/shape.ts';
import { invariant } from '../errors.ts';
import { writtenInPlace } from './in-place.ts';
import { homesIn, Places, type InPlace } from './places.ts';

export interface Chosen {
  readonly fusion: Fusion;
  readonly inPlace: InPlace;
  readonly places: Places;
  readonly kernels: readonly ChosenKernel[];
}

export interface ChosenKernel {
  readonly sections: readonly KernelSection[];
  /** Each storage is named by a tensor in it; the origins of its lines are ids of nodes in the graph that was fused. */
  readonly kernel: Kernel<Node>;
  /** Others that compute the same and may be faster. */
  readonly rivals?: readonly Kernel<Node>[];
}

/** One of the groups that a kernel computes side by side: most compute one. */
export interface KernelSection {
  readonly group: FusedGroup;
  readonly reads: readonly Node[];
}

/** Runs a stage that has a name. */
export type Timed = <T>(stage: string, body: () => T) => T;

/** `without` names passes to leave out. */
export function choose(graph: Graph, gpu: Gpu, timed: Timed, without: readonly string[] = []): Chosen {
  const { maxStorageBuffers: tensors, target } = gpu;
  const walksFor = without.includes(WALKS) ? undefined : target;
  const fusion = timed('fusion', () => fuse(graph, { maxStorageBuffers: tensors, walksFor }));
  const { computed, inPlace } = loweredOf(fusion, timed);
  const planned = timed('kernels', () =>
    computed.map(({ group, own, storageOf }) => {
      const [section, ...rivals] = planSections(own, storageOf, { parametric: false, target });
      return { group, reads: own.reads, section, rivals: gpu.compares ? rivals : [] };
    }),
  );
  const steps = without.includes(SIDE_BY_SIDE)
    ? planned.map((k) => [k])
    : timed(SIDE_BY_SIDE, () => sideBySide(planned, { tensors, device: target.kind }));
  const kernels = timed('kernels', () =>
    steps.map((step): ChosenKernel => {
      const built = (chosen: readonly Section<Node>[]) => buildKernel(chosen, false);
      const [only, ...others] = step;
      const rivals = only && others.length === 0 ? only.rivals.map((rival) => built([rival])) : [];
      const sections = step.map(({ group, reads }) => ({ group, reads }));
      const kernel = built(step.map((k) => k.section));
      invariant(
        rivals.every((r) => sameBindings(r, kernel)),
        'candidates bind the same',
      );
      return { sections, kernel, rivals };
    }),
  );
  return { fusion, inPlace, places: placesOf(fusion, kernels, inPlace), kernels };
}

/** A call is made ready for one of them, whichever will run. */
function sameBindings(a: Kernel<Node>, b: Kernel<Node>): boolean {
  const same = (x: readonly unknown[], y: readonly unknown[]) => x.length === y.length && x.every((v, i) => v === y[i]);
  return same(a.storages, b.storages) && same(a.offsets, b.offsets) && a.form.parameters === b.form.parameters;
}

/** Each group by itself; `build` makes the kernel of the one that has this place among the groups. */
export function withKernels(
  fusion: Fusion,
  timed: Timed,
  build: (own: Lowered, storageOf: StorageOf<Node>, group: number) => Kernel<Node>,
): Chosen {
  const { computed, inPlace } = loweredOf(fusion, timed);
  const kernels = timed('kernels', () =>
    computed.map(({ group, place, own, storageOf }): ChosenKernel => {
      return { sections: [{ group, reads: own.reads }], kernel: build(own, storageOf, place) };
    }),
  );
  return { fusion, inPlace, places: placesOf(fusion, kernels, inPlace), kernels };
}

/** The groups that have elements, and where their tensors are. */
function loweredOf(fusion: Fusion, timed: Timed) {
  const lowered = timed('kernels', () =>
    fusion.groups.flatMap((group, place) =>
      group.roots.some((root) => numel(root.meta.shape) > 0) ? [{ group, place, own: lower(group) }] : [],
    ),
  );
  const inPlace = writtenInPlace(
    fusion.graph,
    lowered.map((k) => k.own),
  );
  const homeOf = homesIn(fusion.graph, inPlace);
  const computed = lowered.map((k) => {
    const stored = [...k.own.reads, ...k.own.roots];
    const storageOf: StorageOf<Node> = (i) => {
      const node = invariant(stored[i], 'a tensor for each position');
      return { storage: homeOf(node), dtype: node.meta.dtype };
    };
    return { ...k, storageOf };
  });
  return { computed, inPlace };
}

export function placesOf(
  { graph, groups }: Fusion,
  kernels: readonly Pick<ChosenKernel, 'sections'>[],
  inPlace: InPlace,
): Places {
  const steps = kernels.map(({ sections }) => sections.map((s) => s.group));
  // Those without elements have no kernel, and may be read by one that has.
  const run = new Set(steps.flat());
  return new Places(graph, [groups.filter((g) => !run.has(g)), ...steps], inPlace);
}
