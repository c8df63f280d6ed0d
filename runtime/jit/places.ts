/**
 * @file Where a plan's tensors lie. In: the steps in order and what is written in place. Out: what outlives a run, the memory
 * between the kernels, and for each stored node the place where it is.
 */
import { invariant } from '../errors.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import type { Group } from '../kernels/lower.ts';
import { planMemory, type MemoryPlan } from '../passes/memory.ts';

/** Where a kernel finds one of its tensors. */
export type Place =
  | { readonly kind: 'external'; readonly node: ExternalNode }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'result'; readonly result: number };

/** Tensors from outside, by the stored node that goes right into them. */
export type InPlace = ReadonlyMap<Node, ExternalNode>;

/** For each tensor the one that stands for its memory: those of one kernel are in one place only where they have one. */
export function homesIn(graph: Graph, inPlace: InPlace): (node: Node) => Node {
  const firsts = new Map<number, ExternalNode>();
  for (const node of graph.nodes) if (node.kind === 'external' && !firsts.has(node.storage)) firsts.set(node.storage, node);
  return (stored) => {
    const node = inPlace.get(stored) ?? stored;
    return node.kind === 'external' ? (firsts.get(node.storage) ?? node) : node;
  };
}

export class Places {
  /** Stored nodes that outlive a run, each in a buffer of its own. */
  readonly results: readonly Node[];
  readonly memory: MemoryPlan;
  private readonly resultOf: ReadonlyMap<Node, number>;

  constructor(graph: Graph, steps: readonly (readonly Group[])[], inPlace: InPlace) {
    const stored = new Set([...graph.outputs, ...graph.writes.map((w) => w.value)]);
    this.results = [...stored].filter((node) => !inPlace.has(node));
    this.memory = planMemory(steps, stored);
    this.resultOf = new Map(this.results.map((node, i) => [node, i]));
  }

  /** Of a tensor that stands for its memory. */
  of(node: Node): Place {
    if (node.kind === 'external') return { kind: 'external', node };
    const slot = this.memory.slotOf.get(node);
    if (slot !== undefined) return { kind: 'slot', slot };
    return { kind: 'result', result: invariant(this.resultOf.get(node), 'what is stored has a place') };
  }
}
