/**
 * @file The memory plan: which intermediate tensors share a buffer. In: groups in the order they run. Out: for each stored
 * node a slot; two nodes have one slot only when the first is last read before the second is made.
 */
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';
import { nodeInputs, type Node } from '../ir/graph.ts';
import type { FusedGroup } from './fuse.ts';

export interface MemoryPlan {
  readonly slotOf: ReadonlyMap<Node, number>;
  /** Bytes of each slot. */
  readonly slots: readonly number[];
  /** What all intermediates would take without sharing. */
  readonly intermediateBytes: number;
}

export function planMemory(groups: readonly FusedGroup[], escaping: ReadonlySet<Node>): MemoryPlan {
  const lastRead = new Map<Node, number>();
  groups.forEach((group, i) => {
    for (const root of group.roots) lastRead.set(root, i);
    for (const node of group.inside) for (const input of nodeInputs(node)) if (!group.inside.has(input)) lastRead.set(input, i);
  });
  const done = groups.map((): Node[] => []);
  for (const [node, last] of lastRead) done[last]?.push(node);
  const slotOf = new Map<Node, number>();
  const slots: number[] = [];
  const free = new Set<number>();
  let intermediateBytes = 0;
  groups.forEach((group, i) => {
    for (const root of group.roots) {
      if (escaping.has(root)) continue;
      const bytes = bytesOf(root);
      intermediateBytes += bytes;
      const slot = bestFit(free, slots, bytes) ?? slots.push(bytes) - 1;
      slots[slot] = Math.max(slots[slot] ?? 0, bytes);
      free.delete(slot);
      slotOf.set(root, slot);
    }
    // What this group read last is free only for the groups after it: a kernel cannot write what it reads.
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
