/**
 * @file What is computed again rather than stored. In: kernels, and which of the nodes they store need not be. Out: those that each of
 * their readers computes from what is stored or given anyway, where less is read and written so, by no more kernels, and at few
 * operations for each byte. Only what goes element by element is computed again; sums, products, scans and random numbers never are.
 */
import type { Graph, Node, OpNode } from '../ir/graph.ts';
import { consumers, nodeInputs } from '../ir/graph.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Group } from '../kernels/lower.ts';
import { numel } from '../tensor/shape.ts';
import { flopsOf } from './cost.ts';
import { planMemory } from './memory.ts';
import { isCheapNumber, isMove, isSum, onTheWay, readsPerElement } from './sums.ts';
import { Traffic } from './traffic.ts';

interface Kernels {
  readonly graph: Graph;
  readonly groups: readonly Group[];
}

/** What is known of how they came about. */
export interface Found {
  /** For each kernel that computes a node, by its last root, for how many positions it does. */
  readonly homes: ReadonlyMap<Node, ReadonlyMap<OpNode, number>>;
  /** What is stored only since several kernels read it, or one that would have its sums inside its own. */
  readonly mayGo: ReadonlySet<OpNode>;
}

export interface AgainLimits {
  /** Tensors that a kernel can bind. */
  readonly tensors: number;
  /** How often a kernel may compute the same element. */
  readonly repeats: number;
}

/** Half of what a fast GPU computes in the time in which it moves a byte. */
const OPS_PER_BYTE = 8;
/** In more kernels a node is not computed again: its text stands in each. */
const MOST_READERS = 8;

interface Kernel {
  readonly roots: readonly OpNode[];
  /** What is inside, and for how many positions. */
  readonly times: ReadonlyMap<Node, number>;
}

/** What would be otherwise: kernels in the place of others. */
interface Change {
  readonly again: ReadonlySet<OpNode>;
  readonly kernels: ReadonlyMap<Kernel, Kernel | undefined>;
}

export function computedAgain(plan: Kernels & Found, limits: AgainLimits): ReadonlySet<OpNode> {
  const found = new Set<OpNode>();
  if (plan.mayGo.size === 0) return found;
  const search = new Search(plan, limits);
  for (const node of [...plan.graph.nodes].reverse()) {
    if (node.kind !== 'op' || !plan.mayGo.has(node)) continue;
    for (const n of search.remove(node)) found.add(n);
  }
  return found;
}

/** Whether the kernels read and write less, and neither are more nor need more memory. */
export function isLess(some: Kernels, others: Kernels): boolean {
  const [a, b] = [costOf(some), costOf(others)];
  return a.bytes < b.bytes && a.kernels <= b.kernels && a.memory <= b.memory;
}

function costOf({ graph, groups }: Kernels): { bytes: number; kernels: number; memory: number } {
  const traffic = new Traffic(graph);
  const escaping = new Set([...graph.outputs, ...graph.writes.map((w) => w.value)]);
  const { slots } = planMemory(
    groups.map((g) => [g]),
    escaping,
  );
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  const bytes = sum(groups.map((g) => traffic.bytes({ roots: g.roots, times: new Map([...g.inside].map((n) => [n, 0])) })));
  return { bytes, kernels: groups.length, memory: sum(slots) };
}

class Search {
  private readonly readers: Map<Node, OpNode[]>;
  private readonly traffic: Traffic;
  /** By each node that they compute. */
  private readonly holders = new Map<Node, Set<Kernel>>();
  private readonly homes = new Map<Node, Kernel>();
  /** Memory that is written in place, unless something reads it later. */
  private readonly replaced: ReadonlySet<number>;

  constructor(
    plan: Kernels & Found,
    private readonly limits: AgainLimits,
  ) {
    this.readers = consumers(plan.graph);
    this.traffic = new Traffic(plan.graph);
    this.replaced = new Set(plan.graph.writes.map((w) => w.target.storage));
    for (const { roots, inside } of plan.groups) {
      const last = roots.at(-1);
      const times = (n: Node) => (last && plan.homes.get(n)?.get(last)) ?? numel(n.meta.shape);
      this.put({ roots, times: new Map([...inside].map((n) => [n, times(n)])) });
    }
  }

  /** What has to be computed again so that `node` is not stored; nothing where it had better be. */
  remove(node: OpNode): Iterable<OpNode> {
    const change = this.change(node);
    if (!change) return [];
    for (const [before, after] of change.kernels) {
      this.drop(before);
      if (after) this.put(after);
    }
    return change.again;
  }

  private put(kernel: Kernel): void {
    for (const n of kernel.times.keys()) this.holders.set(n, (this.holders.get(n) ?? new Set()).add(kernel));
    for (const root of kernel.roots) this.homes.set(root, kernel);
  }

  private drop(kernel: Kernel): void {
    for (const n of kernel.times.keys()) this.holders.get(n)?.delete(kernel);
    for (const root of kernel.roots) this.homes.delete(root);
  }

  private change(node: OpNode): Change | undefined {
    const home = this.homes.get(node);
    const own = this.readers.get(node) ?? [];
    const takers = [...new Set(own.flatMap((r) => [...(this.holders.get(r) ?? [])]))].filter((k) => k !== home);
    const parts = this.parts(node);
    if (!home || !parts || takers.length > MOST_READERS) return undefined;
    const { again, sum } = parts;
    // A sum under it is stored in its stead, by the kernel that stored it.
    if ((sum && home.roots.length > 1) || this.mayDiffer(again)) return undefined;
    const roots = sum ? [sum] : home.roots.filter((r) => r !== node);
    const kernels = new Map<Kernel, Kernel | undefined>([[home, roots.length > 0 ? this.rest(home, roots) : undefined]]);
    for (const taker of takers) {
      const after = this.taken(taker, node, again);
      if (!after) return undefined;
      kernels.set(taker, after);
    }
    return this.pays(kernels) ? { again, kernels } : undefined;
  }

  /** What lies between the node and what is stored; the sum, if there is one, that would have to be stored. */
  private parts(node: OpNode): { again: Set<OpNode>; sum?: OpNode } | undefined {
    const again = new Set([node]);
    const sums = new Set<OpNode>();
    if (node.op.kind !== 'elementwise') return undefined;
    for (const next of again) {
      for (const x of nodeInputs(next)) {
        if (x.kind !== 'op' || this.homes.has(x)) continue;
        const repeated = numel(node.meta.shape) > this.limits.repeats * numel(x.meta.shape) && !isCheapNumber(x);
        if (isMove(x) || x.op.kind === 'create' || (x.op.kind === 'elementwise' && !repeated)) again.add(x);
        else sums.add(x);
      }
    }
    const [sum] = sums;
    return sums.size > 1 ? undefined : { again, sum };
  }

  /**
   * Compilers may round a · b + c once or twice, in one kernel so and in another so. What takes a step at some value would then be on
   * one side of it here, on the other there: as where an element is compared with the largest, which it is.
   */
  private mayDiffer(again: ReadonlySet<OpNode>): boolean {
    const inPlace = (r: OpNode) => !this.homes.has(r) && !isSum(r.op);
    return [...again].some(
      (n) => n.op.kind === 'elementwise' && isFloat(n.meta.dtype) && [...onTheWay(n, this.readers, inPlace)].some(jumps),
    );
  }

  /** The kernel without what only the other roots needed. */
  private rest({ times }: Kernel, roots: readonly OpNode[]): Kernel {
    const left = new Set<Node>(roots);
    for (const n of left) for (const x of nodeInputs(n)) if (times.has(x)) left.add(x);
    return { roots, times: new Map([...times].filter(([n]) => left.has(n))) };
  }

  /** The kernel with the node computed inside; undefined when it cannot, or would too often. */
  private taken(kernel: Kernel, node: OpNode, again: ReadonlySet<OpNode>): Kernel | undefined {
    const times = new Map(kernel.times);
    for (const n of this.traffic.lastFirst(again)) {
      const own = (this.readers.get(n) ?? []).map((r) => (times.get(r) ?? 0) * readsPerElement(r, n));
      times.set(n, Math.max(times.get(n) ?? 0, ...own));
    }
    if ((times.get(node) ?? 0) > this.limits.repeats * numel(node.meta.shape)) return undefined;
    const before = this.traffic.reads(kernel);
    const reads = this.traffic.reads({ ...kernel, times });
    const replaces = (x: Node) => x.kind === 'external' && this.replaced.has(x.storage) && !before.has(x);
    if (reads.size + kernel.roots.length > this.limits.tensors || [...reads.keys()].some(replaces)) return undefined;
    return { ...kernel, times };
  }

  private pays(kernels: ReadonlyMap<Kernel, Kernel | undefined>): boolean {
    let bytes = 0;
    let ops = 0;
    for (const [before, after] of kernels) {
      bytes += this.traffic.bytes(before) - (after ? this.traffic.bytes(after) : 0);
      ops += (after ? opsOf(after) : 0) - opsOf(before);
    }
    return bytes > 0 && ops <= bytes * OPS_PER_BYTE;
  }
}

/** Operations of what goes element by element. */
function opsOf({ times }: Kernel): number {
  let ops = 0;
  for (const [n, count] of times)
    if (n.kind === 'op' && n.op.kind === 'elementwise') ops += (flopsOf(n) / Math.max(1, numel(n.meta.shape))) * count;
  return ops;
}

/** Whether the least difference of a number may make one that is not small. */
function jumps({ op, meta, inputs }: OpNode): boolean {
  if (op.kind === 'elementwise' && op.jumps) return true;
  return !isFloat(meta.dtype) && inputs.some((x) => typeof x === 'object' && isFloat(x.meta.dtype));
}
