/**
 * @file Where a plan's tensors lie. In: the groups in order and what is written in place. Out: what outlives a run, the memory
 * between the kernels, and for each stored node the place where it is.
 */
import type { ExternalNode, Node } from '../ir/graph.ts';
import type { Fusion } from '../passes/fuse.ts';
import { planMemory, type MemoryPlan } from '../passes/memory.ts';
import type { DType } from '../tensor/dtype.ts';

/** Where a kernel finds one of its tensors. */
export type Place =
  | { readonly kind: 'external'; readonly node: ExternalNode }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'result'; readonly result: number };

/** One object for one place, so that kernels can tell which of their tensors share memory. */
export class Places {
  /** Stored nodes that outlive a run, each in a buffer of its own. */
  readonly results: readonly Node[];
  readonly memory: MemoryPlan;
  private readonly resultOf: ReadonlyMap<Node, number>;
  private readonly made = new Map<string, Place>();

  constructor(
    { graph, groups }: Fusion,
    private readonly inPlace: ReadonlyMap<Node, ExternalNode>,
  ) {
    const stored = new Set([...graph.outputs, ...graph.writes.map((w) => w.value)]);
    this.results = [...stored].filter((node) => !inPlace.has(node));
    this.memory = planMemory(groups, stored);
    this.resultOf = new Map(this.results.map((node, i) => [node, i]));
  }

  /** Of each tensor that a kernel reads, and then of those that it stores. */
  storageOf(node: Node): { storage: Place; dtype: DType } {
    return { storage: this.of(node), dtype: node.meta.dtype };
  }

  private of(stored: Node): Place {
    const node = this.inPlace.get(stored) ?? stored;
    if (node.kind === 'external') return this.share(`e${node.storage}`, { kind: 'external', node });
    const slot = this.memory.slotOf.get(node);
    if (slot !== undefined) return this.share(`s${slot}`, { kind: 'slot', slot });
    const result = this.resultOf.get(node) ?? -1;
    return this.share(`r${result}`, { kind: 'result', result });
  }

  private share(key: string, place: Place): Place {
    const known = this.made.get(key) ?? place;
    this.made.set(key, known);
    return known;
  }
}
