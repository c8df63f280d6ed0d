/**
 * @file Which walks there are after all. In: where fusion would compute the nodes of each, and the kernels that come of it. Out: those
 * whose kernel is no walk are refused, with the reason, or end before what follows them; what they hold is then stored as usual.
 */
import type { Target } from '../device/gpu.ts';
import type { Graph, Node, OpNode } from '../ir/graph.ts';
import { lower, type Group } from '../kernels/lower.ts';
import { onlineOf } from '../kernels/online.ts';
import { rewritten } from '../kernels/schedule.ts';
import { walksOf } from '../kernels/walk.ts';
import { walksIn, type Walk } from './walks.ts';

/** What `without` calls them. */
export const WALKS = 'walks';

type Homes = ReadonlyMap<Node, ReadonlyMap<OpNode, number>>;

export class Walks {
  private walks: readonly Walk[];
  /** Sums of values that are stored, since what follows is no part of the walk. */
  private readonly ended = new Set<Node>();
  private readonly reasons = new Map<Node, string>();
  /** Kernels, by what is inside, that turned out to be walks. */
  private readonly proved = new Map<OpNode, string>();

  constructor(
    graph: Graph,
    readers: ReadonlyMap<Node, readonly OpNode[]>,
    private readonly target: Target | undefined,
  ) {
    this.walks = target ? walksIn(graph, readers) : [];
  }

  /** Whether a walk computes the node. */
  has(node: OpNode): boolean {
    return this.walks.some((w) => w.inside.has(node));
  }

  /** Whether a walk computes the node whenever it loads a factor. */
  loads(node: OpNode): boolean {
    return this.walks.some((w) => w.loaded.has(node));
  }

  ends(node: Node): boolean {
    return this.ended.has(node);
  }

  /** Why scores are stored, where they might have been part of a walk. */
  whyNot(node: Node): string | undefined {
    return this.reasons.get(node);
  }

  /** False when all walks are as they should be. */
  refuse(homes: Homes, groups: () => readonly Group[]): boolean {
    const { target } = this;
    if (this.walks.length === 0 || !target) return false;
    const kernels = groups();
    const before = this.ended.size;
    const left = this.walks.filter((walk) => this.holds(walk, homes, kernels, target));
    const refused = left.length < this.walks.length;
    this.walks = left;
    return refused || this.ended.size > before;
  }

  /** Whether there may be a walk: there is, or there is one that ends before what follows. */
  private holds({ mixed, scores }: Walk, homes: Homes, kernels: readonly Group[], target: Target): boolean {
    const [root, ...others] = homes.get(mixed)?.keys() ?? [];
    const kernel = root && others.length === 0 ? kernels.find((k) => k.roots.includes(root)) : undefined;
    if (!root || !kernel) return this.refused(mixed);
    const members = [...kernel.inside].map((n) => n.id).join();
    if (this.proved.get(root) === members) return true;
    const why = whyNoWalk(kernel, target);
    if (why === undefined) this.proved.set(root, members);
    else if (root === mixed) return this.refused(mixed, scores, why);
    else this.ended.add(mixed);
    return true;
  }

  private refused(mixed: Node, scores?: Node, why = ''): false {
    this.ended.delete(mixed);
    if (scores && why !== '') this.reasons.set(scores, why);
    return false;
  }
}

/** Undefined for a walk; empty where the kernel's sums are none. */
function whyNoWalk(kernel: Group, target: Target): string | undefined {
  const online = onlineOf(rewritten(lower(kernel).nest));
  const walks = online && walksOf(online, target);
  if (walks === undefined) return '';
  return typeof walks === 'object' ? undefined : walks;
}
