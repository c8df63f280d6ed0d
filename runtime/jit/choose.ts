/**
 * @file What takes long in a compile: which nodes become one kernel, and the texts of the kernels. In: an optimised graph and the
 * device. Out: all that a plan needs of it, which is the same for every graph that reads the same.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Graph, Node } from '../ir/graph.ts';
import { buildKernel, planSection, type Kernel } from '../kernels/kernel.ts';
import { lower } from '../kernels/lower.ts';
import { fuse, type FusedGroup, type Fusion } from '../passes/fuse.ts';
import { sideBySide, SIDE_BY_SIDE } from '../passes/side-by-side.ts';
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
}

/** One of the groups that a kernel computes side by side: most compute one. */
export interface KernelSection {
  readonly group: FusedGroup;
  readonly reads: readonly Node[];
}

/** `timed` runs a stage that has a name; `without` names passes to leave out. */
export function choose(
  graph: Graph,
  gpu: Gpu,
  timed: <T>(stage: string, body: () => T) => T,
  without: readonly string[] = [],
): Chosen {
  const { maxStorageBuffers: tensors, target } = gpu;
  const fusion = timed('fusion', () => fuse(graph, { maxStorageBuffers: tensors }));
  const lowered = timed('kernels', () =>
    fusion.groups
      .filter((group) => group.roots.some((root) => numel(root.meta.shape) > 0))
      .map((group) => ({ group, own: lower(group) })),
  );
  const inPlace = writtenInPlace(
    fusion.graph,
    lowered.map((k) => k.own),
  );
  const homeOf = homesIn(fusion.graph, inPlace);
  const planned = timed('kernels', () =>
    lowered.map(({ group, own }) => {
      const stored = [...own.reads, ...own.roots];
      const storageOf = (i: number) => {
        const node = invariant(stored[i], 'a tensor for each position');
        return { storage: homeOf(node), dtype: node.meta.dtype };
      };
      return { group, reads: own.reads, section: planSection(own, storageOf, { parametric: false, target }) };
    }),
  );
  const steps = without.includes(SIDE_BY_SIDE)
    ? planned.map((k) => [k])
    : timed(SIDE_BY_SIDE, () => sideBySide(planned, { tensors, device: target.kind }));
  const kernels = timed('kernels', () =>
    steps.map((step): ChosenKernel => {
      const kernel = buildKernel(
        step.map((k) => k.section),
        false,
      );
      return { sections: step.map(({ group, reads }) => ({ group, reads })), kernel };
    }),
  );
  return { fusion, inPlace, places: placesOf(fusion, kernels, inPlace), kernels };
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
