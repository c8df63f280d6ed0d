/**
 * @file The memory plan: which intermediate tensors share a buffer. In: steps in the order they run, each of groups that run
 * side by side. Out: for each stored node a slot; two nodes have one slot only when the step that reads the first last comes
 * before the one that makes the second.
 */
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';
import { nodeInputs, type Node } from '../ir/graph.ts';
import type { Group } from '../kernels/lower.ts';

export interface MemoryPlan {
  readonly slotOf: ReadonlyMap<Node, number>;
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** What all intermediates would take without sharing. */
  readonly intermediateBytes: number;
}

export function planMemory(steps: readonly (readonly Group[])[], escaping: ReadonlySet<Node>): MemoryPlan {
  const lastRead = new Map<Node, number>();
  steps.forEach((groups, i) => {
    for (const root of groups.flatMap((g) => g.roots)) lastRead.set(root, i);
    for (const { inside } of groups)
      for (const node of inside) for (const input of nodeInputs(node)) if (!inside.has(input)) lastRead.set(input, i);
  });
  const done = steps.map((): Node[] => []);
  for (const [node, last] of lastRead) done[last]?.push(node);
  const slotOf = new Map<Node, number>();
  const slots: number[] = [];
  const free = new Set<number>();
  let intermediateBytes = 0;
  steps.forEach((groups, i) => {
    for (const root of groups.flatMap((g) => g.roots)) {
      if (escaping.has(root)) continue;
      const bytes = bytesOf(root);
      intermediateBytes += bytes;
      const slot = bestFit(free, slots, bytes) ?? slots.push(bytes) - 1;
      slots[slot] = Math.max(slots[slot] ?? 0, bytes);
      free.delete(slot);
      slotOf.set(root, slot);
    }
    // What this step read last is free only for the steps after it: a kernel cannot write what it reads.
    for (const node of done[i] ?? []) {
      const slot = slotOf.get(node);
      if (slot !== undefined) free.add(slot);
    }
  });
  return { slotOf, slots, intermediateBytes };
}

/** The smallest free slot that is large enough, else the largest one, which grows. */
function bestFit(free: ReadonlySet<number>, slots: readonly number[], bytes: number): number | undefined {
  const sorted = [...free].sort((a, b) => (slots[a] ?? 0) - (slots[b] ?? 0));
  return sorted.find((slot) => (slots[slot] ?? 0) >= bytes) ?? sorted.at(-1);
}

export function bytesOf(node: Node): number {
  return numel(node.meta.shape) * dtypes[node.meta.dtype].bytes;
}
