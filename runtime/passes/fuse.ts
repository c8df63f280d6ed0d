/**
 * @file Fusion: which nodes become one kernel. In: an optimised functional graph. Out: groups in the order they run; every
 * node is in one, or is only index arithmetic inside those that read it. A node is computed where it is used unless that
 * would repeat real work, and every boundary that is left has its reason. A sum that a whole row needs is computed once for it.
 */
import type { Target } from '../device/gpu.ts';
import { joinedParts, lower, type Group } from '../kernels/lower.ts';
import { rowsOf, SHORT_SUM } from '../kernels/rows.ts';
import { scansOf } from '../kernels/scans.ts';
import { rewritten } from '../kernels/schedule.ts';
import { consumers, isNode, nodeInputs, type Graph, type Node, type OpNode } from '../ir/graph.ts';
import { numel } from '../tensor/shape.ts';
import { computedAgain, isLess, type Found } from './again.ts';
import { leavesOf } from './leaves.ts';
import { chainAt, tooLong, type Chain } from './limits.ts';
import {
  holdsProduct,
  holdsSum,
  isCheapNumber,
  isLongScan,
  isSum,
  madeOfLongSums,
  madeOfProduct,
  madeOfSum,
  needsStored,
  notOfRows,
  onTheWay,
  readsPerElement,
  termsOf,
} from './sums.ts';
import { together } from './together.ts';
import { isScanned, isSearched, isSummed, isTerm, keepsOrder } from './readers.ts';
import { Walks } from './walking.ts';
import { inPieces, PIECE, widestJoin, type WideJoin } from './wide-join.ts';

export interface FusedGroup extends Group {
  readonly roots: OpNode[];
  readonly inside: Set<Node>;
  /** Why the last root's value is stored, and not computed by the kernel that reads it. */
  boundary: string;
}

export interface Fusion {
  readonly groups: readonly FusedGroup[];
  /** The graph that the groups are of: as given, but for joins of more tensors than a kernel can bind. */
  readonly graph: Graph;
  /** These, in the order in which they were cut. */
  readonly wide: readonly WideJoin[];
}

/** A cheap op may be computed again this many times rather than be stored and read. */
const CHEAP_REPEATS = 4;
/** With more sums a kernel is not looked at: it would hold them inside each other, and takes long to lower. */
const MOST_ROW_SUMS = 8;
/** With more products side by side in a position a thread has no room for several positions, which share what they read. */
const MOST_PARTS = 4;

export interface FuseLimits {
  readonly maxStorageBuffers: number;
  /** What walks over keys are made for; absent for none, as where sizes vary. */
  readonly walksFor?: Target;
}

/** What need not be stored shows once all else is planned; then all is planned anew, unless that comes out no better. */
export function fuse(graph: Graph, limits: FuseLimits): Fusion {
  const { plan, ...usual } = planned(graph, limits);
  const again = computedAgain({ ...usual, ...plan.found() }, { tensors: limits.maxStorageBuffers, repeats: CHEAP_REPEATS });
  if (again.size === 0) return usual;
  const { plan: _, ...other } = planned(usual.graph, limits, usual.wide, again);
  return isLess(other, usual) ? other : usual;
}

function planned(
  graph: Graph,
  limits: FuseLimits,
  cut: readonly WideJoin[] = [],
  again: ReadonlySet<OpNode> = new Set(),
): Fusion & { readonly plan: Planner } {
  const limit = limits.maxStorageBuffers - 1;
  const plan = new Planner(graph, limits.walksFor, again);
  for (const output of graph.outputs) plan.keep(output, 'it is an output');
  for (const { value } of graph.writes) plan.keep(value, 'it replaces a tensor from outside');
  plan.decide();
  plan.join(limit);
  do {
    const wide = widestJoin(graph, plan.groups(), limit);
    if (wide) return planned(inPieces(graph, wide), limits, [...cut, wide]);
  } while (plan.splitLargest(limit));
  return { groups: plan.groups(), graph, wide: cut, plan };
}

class Planner {
  /** What is stored whatever else is, and what is as things are. */
  private readonly kept = new Map<Node, string>();
  private stored: ReadonlyMap<Node, string> = new Map();
  private readonly readers: Map<Node, OpNode[]>;
  /** For each node inside a kernel, the root of that kernel and how often an element of it is computed there. */
  private homes = new Map<Node, Map<OpNode, number>>();
  /** Sums and what is made of them that a kernel computes once for each of its rows. */
  private ofRows = new Set<OpNode>();
  /** What is stored for no other reason than its readers. */
  private mayGo = new Set<OpNode>();
  /** Those that turned out not to be such, and kernels, by what is inside, that turned out to go by rows. */
  private readonly refused = new Set<OpNode>();
  private readonly proved = new Map<OpNode, string>();
  /** Stored nodes that a later kernel stores beside its own: the last root of that kernel. */
  private readonly waiting = new Map<OpNode, OpNode>();
  /** Those that turned out not to be able to wait. */
  private readonly apart = new Set<OpNode>();
  /** Places in the graph. */
  private readonly order: ReadonlyMap<Node, number>;

  private readonly walks: Walks;

  constructor(
    private readonly graph: Graph,
    walksFor: Target | undefined,
    /** What each of its readers computes again. */
    private readonly again: ReadonlySet<OpNode>,
  ) {
    this.readers = consumers(graph);
    this.walks = new Walks(graph, this.readers, walksFor);
    this.order = new Map(graph.nodes.map((node, i) => [node, i]));
  }

  keep(node: Node, why: string): void {
    if (node.kind === 'op' && !this.kept.has(node)) this.kept.set(node, why);
  }

  /**
   * Until each kernel with sums of its rows, or a walk, is one, and each with a scan goes along it: whether it is shows in its
   * loop nest.
   */
  decide(): void {
    do this.assign();
    while (this.walks.refuse(this.homes, () => this.groups()) || this.refuse() || this.refuseScans() || this.refuseNested());
  }

  /** Back to front: a node joins the kernel of its readers, or is stored. */
  private assign(): void {
    const stored = new Map(this.kept);
    this.stored = stored;
    this.homes = new Map();
    this.ofRows = new Set();
    this.mayGo = new Set();
    const chains = new Map<Node, Chain>();
    for (const node of [...this.graph.nodes].reverse()) {
      if (node.kind !== 'op') continue;
      const demand = this.demand(node);
      if (demand.size === 0 && !this.stored.has(node)) continue;
      const chain = chainAt(node, this.readers, chains);
      const why = stored.get(node) ?? this.reason(node, demand) ?? tooLong(node, chain);
      if (why === undefined) chains.set(node, chain);
      else stored.set(node, this.walks.whyNot(node) ?? why);
      const [root = node] = demand.keys();
      if (why === undefined && !this.ofRows.has(node) && !this.walks.has(node)) this.homes.set(node, demand);
      else this.homes.set(node, new Map([[why === undefined ? root : this.lastRoot(node), numel(node.meta.shape)]]));
    }
  }

  /** Has them stored as others are, where their kernel does not go by rows after all; false when there are none. */
  private refuse(): boolean {
    const before = this.refused.size;
    if (this.ofRows.size === 0) return false;
    for (const group of this.groups()) {
      const once = [...group.inside].filter((n): n is OpNode => n.kind === 'op' && this.ofRows.has(n));
      const members = [...group.inside].map((n) => n.id).join();
      const root = group.roots.at(-1);
      if (once.length === 0 || !root || this.proved.get(root) === members) continue;
      const sums = once.filter(({ op }) => isSum(op)).length;
      const count = sums > MOST_ROW_SUMS ? undefined : rowsOf(rewritten(lower(group).nest))?.count;
      const wrong = notOfRows(once, count, root);
      if (wrong.length === 0) this.proved.set(root, members);
      for (const n of wrong) this.refused.add(n);
    }
    return this.refused.size > before;
  }

  /** Has scans stored whose kernel does not go along them, or what they are of; false when there is none. */
  private refuseScans(): boolean {
    for (const group of this.groups()) {
      const scans = [...group.inside].filter(isLongScan);
      const members = [...group.inside, ...group.roots].map((n) => n.id).join();
      const root = group.roots.at(-1);
      if (scans.length === 0 || !root || this.proved.get(root) === members) continue;
      this.proved.set(root, members);
      if (scansOf(rewritten(lower(group).nest))) continue;
      const within = scans.find((s) => !group.roots.includes(s));
      // Without this one the kernel may go along another.
      if (within) this.refused.add(within);
      else if (group.roots.length > 1) this.separate(group.roots);
      else for (const x of scans.flatMap(nodeInputs)) this.keep(x, 'a scan of it is a kernel of its own');
      return true;
    }
    return false;
  }

  /** Has kernels run apart of which one would be computed in each term of the other; false when there are none. */
  private refuseNested(): boolean {
    for (const group of this.groups()) {
      const members = [...group.inside, ...group.roots].map((n) => n.id).join();
      const root = group.roots.at(-1);
      if (!root || group.roots.length < 2 || this.proved.get(root) === members || !needsStored(group.roots, group.inside))
        continue;
      if (rowsOf(rewritten(lower(group).nest))) {
        this.proved.set(root, members);
        continue;
      }
      this.separate(group.roots);
      return true;
    }
    return false;
  }

  /** For each kernel that would compute the node inside, for how many positions it would. */
  private demand(node: OpNode): Map<OpNode, number> {
    const demand = new Map<OpNode, number>();
    for (const reader of this.readers.get(node) ?? []) {
      for (const [root, times] of this.homes.get(reader) ?? []) {
        demand.set(root, Math.max(demand.get(root) ?? 0, times * readsPerElement(reader, node)));
      }
    }
    return demand;
  }

  /** Why a node must be stored; undefined when its readers' kernels can compute it. */
  private reason(node: OpNode, demand: ReadonlyMap<OpNode, number>): string | undefined {
    const { op } = node;
    if (op.kind === 'join' && node.attributes[PIECE] === true) return 'a kernel can bind only so many tensors';
    if (op.kind === 'create' || op.kind === 'move') return undefined;
    if (this.walks.ends(node)) return 'what reads it is no part of its walk';
    if (demand.size === 1 && (this.walks.has(node) || this.walks.loads(node))) return undefined;
    if (this.isArm(node) && holdsProduct(node)) return 'a product lies in it, and it is a part of a join';
    if (isCheapNumber(node)) return undefined;
    if (isSearched(node, this.readers)) return 'a search looks at it in many places';
    if (demand.size > 1 && !this.again.has(node)) return this.spare(node, `${demand.size} kernels read it`);
    if (isLongScan(node)) return this.reasonOfScan(node);
    if (isScanned(node, this.readers) && holdsSum(node))
      return 'a kernel goes along a scan of it, and does nothing else that is long';
    const repeats = Math.max(...demand.values()) / Math.max(1, numel(node.meta.shape));
    if (repeats < 1 && new Set(this.readers.get(node)).size > MOST_PARTS && madeOfProduct(node))
      return 'a product lies in it, of which many parts are read side by side';
    if (isSum(op)) return this.reasonOfSum(node, repeats);
    if (repeats > CHEAP_REPEATS && (demand.size > 1 || !this.isOfRow(node, demand)))
      return `it would be computed ${Math.round(repeats)} times`;
    if (!this.again.has(node) && isTerm(node, this.readers) && madeOfLongSums(node))
      return this.spare(node, 'it is made of long sums, and is summed');
    return undefined;
  }

  private spare(node: OpNode, why: string): string {
    this.mayGo.add(node);
    return why;
  }

  private reasonOfSum(node: OpNode, repeats: number): string | undefined {
    const long = termsOf(node) > SHORT_SUM && isSummed(node, this.readers, (r) => this.stored.has(r));
    if (repeats <= 1 && !long) {
      const passes = termsOf(node) > 1 ? this.passes(node).size : 1;
      return passes > 1 ? `${passes} sums of a row read it` : undefined;
    }
    const { op } = node;
    const alone = op.kind === 'reduce' || (op.kind === 'contract' && node.inputs.filter(isNode).length === 1);
    if (alone && this.mayBeOfRow(node)) return undefined;
    return repeats > 1
      ? `it is a sum that would be computed ${Math.round(repeats)} times`
      : 'it is a long sum inside another sum';
  }

  private reasonOfScan(node: OpNode): string | undefined {
    const readers = onTheWay(node, this.readers, (r) => !this.stored.has(r));
    if (![...readers].every((r) => keepsOrder(r, node))) return 'a kernel goes along a scan, and what reads it goes another way';
    return this.refused.has(node) ? 'a kernel goes along a scan, and does nothing else that is long' : undefined;
  }

  private mayBeOfRow(node: OpNode): boolean {
    if (!this.refused.has(node)) this.ofRows.add(node);
    return !this.refused.has(node);
  }

  /** What is computed from sums of the row, or for one of them, and has one element for it. */
  private isOfRow(node: OpNode, demand: ReadonlyMap<OpNode, number>): boolean {
    const beside = (n: OpNode) =>
      numel(n.meta.shape) === numel(node.meta.shape) && [...demand.keys()].every((r) => this.homes.get(n)?.has(r));
    return node.op.kind === 'elementwise' && (madeOfSum(node) || [...this.ofRows].some(beside)) && this.mayBeOfRow(node);
  }

  /** What goes over a row and reads the node on its way: sums of the row, and the kernel's root. */
  private passes(node: Node): Set<OpNode> {
    const ends = (r: OpNode) => this.ofRows.has(r) || this.stored.has(r);
    const readers = onTheWay(node, this.readers, (r) => !ends(r) && this.homes.has(r));
    return new Set([...readers].filter(ends).map((r) => (this.ofRows.has(r) ? r : this.lastRoot(r))));
  }

  /** Parts of different sizes stand in conditions, in which the threads of a workgroup cannot meet. */
  private isArm(node: OpNode): boolean {
    const joins = (this.readers.get(node) ?? []).filter((r) => r.op.kind === 'join');
    return joins.some((r) => !this.stored.has(r) || !joinedParts(r));
  }

  found(): Found {
    return { homes: this.homes, mayGo: this.mayGo };
  }

  groups(): FusedGroup[] {
    const groups = new Map<OpNode, FusedGroup>();
    for (const node of this.graph.nodes) {
      const boundary = this.stored.get(node);
      if (node.kind !== 'op' || boundary === undefined) continue;
      const group = groups.get(this.lastRoot(node));
      // Behind those that came meanwhile, as it runs after them.
      groups.delete(this.lastRoot(node));
      groups.set(this.lastRoot(node), { roots: [...(group?.roots ?? []), node], inside: new Set(), boundary });
    }
    for (const [node, homes] of this.homes) for (const root of homes.keys()) groups.get(root)?.inside.add(node);
    return [...groups.values()];
  }

  private lastRoot(node: OpNode): OpNode {
    let last = node;
    for (let next = this.waiting.get(last); next; next = this.waiting.get(last)) last = next;
    return last;
  }

  /** Lets kernels wait for later ones, while that makes fewer. Those that cannot after all are taken apart again. */
  join(limit: number): void {
    for (let more = true; more;) {
      const candidates = this.groups().map((g) => ({
        ...g,
        byRows: [...g.inside].some((n) => this.ofRows.has(n as OpNode) || this.walks.has(n as OpNode)),
      }));
      const found = together(candidates, { tensors: limit + 1, apart: this.apart });
      for (const [early, late] of found) this.waiting.set(early, late);
      more = found.size > 0;
      do this.decide();
      while (this.takeApart(limit));
    }
  }

  /** Kernels that bind too much, or store what is read before they run; false when there are none. */
  private takeApart(limit: number): boolean {
    const before = this.apart.size;
    let split = false;
    const made = new Set<Node>();
    const groups = this.groups();
    for (const group of groups) {
      const leaves = leavesOf(group.roots, group.inside);
      if (group.roots.length > 1 && leaves.size + group.roots.length > limit + 1) {
        if (this.split(group, limit)) split = true;
        else this.separate(group.roots);
      }
      for (const leaf of leaves) if (leaf.kind === 'op' && !made.has(leaf)) this.part(leaf, group, groups);
      for (const root of group.roots) made.add(root);
    }
    return split || this.apart.size > before;
  }

  /** Lets those of `root`'s kernel that come before the reader not wait for the others. */
  private part(root: OpNode, reader: FusedGroup, groups: readonly FusedGroup[]): void {
    const place = (node: Node | undefined) => (node ? (this.order.get(node) ?? 0) : 0);
    const kernel = groups.find((g) => g.roots.includes(root));
    const early = kernel?.roots.filter((r) => place(r) < place(reader.roots.at(-1))) ?? [];
    const last = early.at(-1);
    if (!last) return;
    for (const r of early) this.waiting.set(r, last);
    this.waiting.delete(last);
    this.apart.add(last);
  }

  /** No kernel of these waits for another any more. */
  private separate(roots: readonly OpNode[]): void {
    const lasts = new Set(roots.map((r) => this.lastRoot(r)));
    for (const root of [...this.waiting.keys()].filter((r) => lasts.has(this.lastRoot(r)))) this.apart.add(root);
    for (const root of this.apart) this.waiting.delete(root);
  }

  /** Takes a part out of a kernel that reads more tensors than one can bind; false when none does. */
  splitLargest(limit: number): boolean {
    if (!this.groups().some((group) => this.split(group, limit))) return false;
    do this.decide();
    while (this.takeApart(limit));
    return true;
  }

  private split(group: FusedGroup, limit: number): boolean {
    const most = limit + 1 - group.roots.length;
    if (leavesOf(group.roots, group.inside).size <= most) return false;
    const [best] = [...group.inside]
      .filter((n): n is OpNode => n.kind === 'op' && !group.roots.includes(n) && n.op.kind !== 'move' && n.op.kind !== 'create')
      .map((node) => ({ node, leaves: leavesOf([node], group.inside).size }))
      .filter(({ leaves }) => leaves > 1 && leaves <= most)
      // A product of which parts are read side by side is stored rather than what is made of its parts.
      .sort((a, b) => b.leaves - a.leaves || Number(madeOfProduct(b.node)) - Number(madeOfProduct(a.node)));
    if (best) this.kept.set(best.node, `a kernel can bind ${limit + 1} tensors, and more would be read`);
    return best !== undefined;
  }
}
