/**
 * @file Fusion: which nodes become one kernel. In: an optimised functional graph. Out: groups in the order they run; every
 * node is in one, or is only index arithmetic inside those that read it. A node is computed where it is used unless that
 * would repeat real work, and every boundary that is left has its reason. A sum that a whole row needs is computed once for it.
 */
import { lower, type Group } from '../kernels/lower.ts';
import { rowsOf, SHORT_SUM } from '../kernels/rows.ts';
import { rewritten } from '../kernels/schedule.ts';
import {
  consumers,
  isNode,
  nodeInputs,
  nodeName,
  rewrite,
  type Graph,
  type Node,
  type NodeInput,
  type OpNode,
} from '../ir/graph.ts';
import type { OpSpec } from '../ops/spec.ts';
import { numel } from '../tensor/shape.ts';

export interface FusedGroup extends Group {
  readonly root: OpNode;
  readonly inside: Set<Node>;
  /** Why the root's value is stored, and not computed by the kernel that reads it. */
  boundary: string;
}

export interface Fusion {
  readonly groups: readonly FusedGroup[];
  /** The graph that the groups are of: as given, but for joins of more tensors than a kernel can bind. */
  readonly graph: Graph;
}

/** A cheap op may be computed again this many times rather than be stored and read. */
const CHEAP_REPEATS = 4;
/** Nodes that are looked at for long sums before a value that is summed. */
const LOOKED_AT = 64;
/** Marks a join that is a part of a larger one. */
const PIECE = 'piece';

export function fuse(graph: Graph, limits: { maxStorageBuffers: number }): Fusion {
  const limit = limits.maxStorageBuffers - 1;
  const plan = new Planner(graph);
  for (const output of graph.outputs) plan.keep(output, 'it is an output');
  for (const { value } of graph.writes) plan.keep(value, 'it replaces a tensor from outside');
  plan.decide();
  do {
    const wide = plan.widestJoin(limit);
    if (wide) return fuse(inPieces(graph, wide), limits);
  } while (plan.splitLargest(limit));
  return { groups: plan.groups(), graph };
}

/** A join and the parts of it that one kernel each can lay together. */
interface WideJoin {
  readonly join: OpNode;
  readonly pieces: readonly (readonly NodeInput[])[];
}

/** The graph with the join as a join of joins. */
function inPieces(graph: Graph, { join, pieces }: WideJoin): Graph {
  return rewrite(graph, (node, build, before) => {
    if (before !== join) return undefined;
    let next = 0;
    const joined = pieces.map((piece) => {
      const inputs = node.inputs.slice(next, (next += piece.length));
      const [only] = inputs;
      return inputs.length === 1 && isNode(only) ? only : build.op(node.op, inputs, { ...node.attributes, [PIECE]: true }, node);
    });
    return build.op(node.op, joined, node.attributes, node);
  });
}

class Planner {
  private readonly stored = new Map<Node, string>();
  private readonly readers: Map<Node, OpNode[]>;
  /** For each node inside a kernel, the root of that kernel and how often an element of it is computed there. */
  private homes = new Map<Node, Map<OpNode, number>>();
  /** Sums and what is made of them that a kernel computes once for each of its rows. */
  private ofRows = new Set<OpNode>();
  /** Those that turned out not to be such, and kernels, by what is inside, that turned out to go by rows. */
  private readonly refused = new Set<OpNode>();
  private readonly proved = new Map<OpNode, string>();

  constructor(private readonly graph: Graph) {
    this.readers = consumers(graph);
  }

  keep(node: Node, why: string): void {
    if (node.kind === 'op' && !this.stored.has(node)) this.stored.set(node, why);
  }

  /** Until each kernel with sums of its rows is one: whether it is shows in its loop nest. */
  decide(): void {
    do this.assign();
    while (this.refuse());
  }

  /** Back to front: a node joins the kernel of its readers, or is stored. */
  private assign(): void {
    this.homes = new Map();
    this.ofRows = new Set();
    for (const node of [...this.graph.nodes].reverse()) {
      if (node.kind !== 'op') continue;
      const demand = this.demand(node);
      if (demand.size === 0 && !this.stored.has(node)) continue;
      const why = this.stored.get(node) ?? this.reason(node, demand);
      if (why !== undefined) this.stored.set(node, why);
      const [root = node] = demand.keys();
      if (why === undefined && !this.ofRows.has(node)) this.homes.set(node, demand);
      else this.homes.set(node, new Map([[why === undefined ? root : node, numel(node.meta.shape)]]));
    }
  }

  /** Has them stored as others are, where their kernel does not go by rows after all; false when there are none. */
  private refuse(): boolean {
    const before = this.refused.size;
    if (this.ofRows.size === 0) return false;
    for (const group of this.groups()) {
      const once = [...group.inside].filter((n): n is OpNode => n.kind === 'op' && this.ofRows.has(n));
      const members = [...group.inside].map((n) => n.id).join();
      if (once.length === 0 || this.proved.get(group.root) === members) continue;
      const count = rowsOf(rewritten(lower(group).nest))?.count;
      const rows = Math.max(...once.map((n) => numel(n.meta.shape)));
      const others = once.filter((n) => numel(n.meta.shape) < rows);
      if (count === rows && others.length === 0) this.proved.set(group.root, members);
      else for (const n of others.length > 0 ? others : once) this.refused.add(n);
    }
    return this.refused.size > before;
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
    if (isCheapNumber(node)) return undefined;
    if (this.isSearched(node)) return 'a search looks at it in many places';
    if (demand.size > 1) return `${demand.size} kernels read it`;
    const repeats = Math.max(...demand.values()) / Math.max(1, numel(node.meta.shape));
    if (isSum(op)) return this.reasonOfSum(node, repeats);
    if (repeats > CHEAP_REPEATS && !this.isOfRow(node, demand)) return `it would be computed ${Math.round(repeats)} times`;
    if (this.isTerm(node) && madeOfLongSums(node)) return 'it is made of long sums, and is summed';
    return undefined;
  }

  private reasonOfSum(node: OpNode, repeats: number): string | undefined {
    const long = terms(node) > SHORT_SUM && this.isSummed(node);
    if (repeats <= 1 && !long) {
      const passes = terms(node) > 1 ? this.passes(node).size : 1;
      return passes > 1 ? `${passes} sums of a row read it` : undefined;
    }
    const { op } = node;
    const alone = op.kind === 'reduce' || (op.kind === 'contract' && node.inputs.filter(isNode).length === 1);
    if (alone && this.mayBeOfRow(node)) return undefined;
    return repeats > 1
      ? `it is a sum that would be computed ${Math.round(repeats)} times`
      : 'it is a long sum inside another sum';
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
    const over = (this.readers.get(node) ?? []).flatMap((r) =>
      this.stored.has(r) || this.ofRows.has(r) ? [r] : this.homes.has(r) ? [...this.passes(r)] : [],
    );
    return new Set(over);
  }

  /** Each step of a search would write it out again. */
  private isSearched(node: OpNode): boolean {
    return (this.readers.get(node) ?? []).some(
      (r) => (r.op.kind === 'search' && r.inputs[0] === node) || (r.op.kind === 'move' && this.isSearched(r)),
    );
  }

  /** Whether a sum takes it, or a view of it. */
  private isTerm(node: OpNode): boolean {
    return (this.readers.get(node) ?? []).some((r) => (isSum(r.op) && terms(r) > 1) || (r.op.kind === 'move' && this.isTerm(r)));
  }

  private isSummed(node: OpNode): boolean {
    return (this.readers.get(node) ?? []).some((r) => isSum(r.op) || (!this.stored.has(r) && this.isSummed(r)));
  }

  groups(): FusedGroup[] {
    const groups = new Map<OpNode, FusedGroup>();
    for (const node of this.graph.nodes) {
      const boundary = this.stored.get(node);
      if (node.kind === 'op' && boundary !== undefined) groups.set(node, { root: node, inside: new Set([node]), boundary });
    }
    for (const [node, homes] of this.homes) for (const root of homes.keys()) groups.get(root)?.inside.add(node);
    return [...groups.values()];
  }

  /** Takes a part out of a kernel that reads more tensors than one can bind; false when none does. */
  splitLargest(limit: number): boolean {
    for (const group of this.groups()) {
      if (this.leaves(group.root, group).size <= limit) continue;
      const parts = [...group.inside]
        .filter((n): n is OpNode => n.kind === 'op' && n !== group.root && n.op.kind !== 'move' && n.op.kind !== 'create')
        .map((node) => ({ node, leaves: this.leaves(node, group).size }))
        .filter(({ leaves }) => leaves > 1 && leaves <= limit)
        .sort((a, b) => b.leaves - a.leaves);
      const [best] = parts;
      if (!best) continue;
      this.stored.set(best.node, `a kernel can bind ${limit + 1} tensors, and more would be read`);
      this.decide();
      return true;
    }
    return false;
  }

  /** A join that reads more tensors than a kernel can bind, cut where each part reads few enough. */
  widestJoin(limit: number): WideJoin | undefined {
    for (const group of this.groups()) {
      for (const join of group.inside) {
        if (join.kind !== 'op' || join.op.kind !== 'join' || this.leaves(join, group).size <= limit) continue;
        const pieces: NodeInput[][] = [];
        let read = new Set<Node>();
        for (const input of nodeInputs(join)) {
          const more = group.inside.has(input) ? this.leaves(input, group) : [input];
          const together = new Set([...read, ...more]);
          const fits = together.size <= limit && pieces.length > 0;
          if (!fits) pieces.push([]);
          pieces.at(-1)?.push(input);
          read = fits ? together : new Set(more);
        }
        if (pieces.length > 1 && pieces.some((piece) => piece.length > 1)) return { join, pieces };
      }
    }
    return undefined;
  }

  /** The tensors that computing `node` inside `group` reads. */
  private leaves(node: Node, group: FusedGroup): Set<Node> {
    const found = new Set<Node>();
    const seen = new Set<Node>();
    const visit = (n: Node): void => {
      if (seen.has(n)) return;
      seen.add(n);
      for (const input of nodeInputs(n)) {
        if (group.inside.has(input)) visit(input);
        else found.add(input);
      }
    };
    visit(node);
    return found;
  }
}

/** Ops of which each element is a loop over others. */
function isSum({ kind }: OpSpec): boolean {
  return kind === 'reduce' || kind === 'scan' || kind === 'contract';
}

/** Nodes that it is computed from, itself first: a few. */
function upstream(node: OpNode, through: (from: OpNode) => boolean): OpNode[] {
  const seen = new Set<OpNode>([node]);
  for (const next of seen) {
    if (seen.size > LOOKED_AT) break;
    if (through(next)) for (const input of nodeInputs(next)) if (input.kind === 'op') seen.add(input);
  }
  return [...seen];
}

/** Whether a sum of as many elements is among what it is computed from, element by element. */
function madeOfSum(node: OpNode): boolean {
  const alike = upstream(node, ({ op }) => op.kind === 'elementwise' || op.kind === 'move');
  return alike.some((n) => isSum(n.op) && numel(n.meta.shape) === numel(node.meta.shape));
}

/** Whether it takes several long sums, of which there are as many as there are elements: it is no more to store than they. */
function madeOfLongSums(node: OpNode): boolean {
  const sums = upstream(node, () => true).filter((n) => isSum(n.op) && terms(n) > SHORT_SUM);
  return sums.filter((n) => numel(n.meta.shape) >= numel(node.meta.shape)).length > 1;
}

/** Operations that are not worth a kernel of their own. */
const CHEAP_NUMBER = 12;

/** One number, in a few operations from what is stored: cheaper computed by every thread than stored and read. */
function isCheapNumber(node: OpNode): boolean {
  let left = CHEAP_NUMBER;
  const visit = (x: NodeInput): boolean => {
    if (!isNode(x) || x.kind === 'external' || isSum(x.op)) return true;
    if (numel(x.meta.shape) !== 1 || !['elementwise', 'move', 'create'].includes(x.op.kind)) return false;
    const metas = x.inputs.map((input) => (isNode(input) ? input.meta : input));
    left -= Math.max(1, x.op.flops(metas, x.attributes, x.meta));
    return left >= 0 && x.inputs.every(visit);
  };
  return !isSum(node.op) && visit(node);
}

/** How many elements of `input` one element of `reader` reads. */
function readsPerElement(reader: OpNode, input: Node): number {
  const out = Math.max(1, numel(reader.meta.shape));
  if (isSum(reader.op)) return terms(reader);
  if (reader.op.kind === 'search' && reader.inputs[0] === input) return Math.log2(1 + (input.meta.shape.at(-1) ?? 1));
  if (reader.op.kind === 'join') return numel(input.meta.shape) / out;
  if (reader.op.kind === 'write' && reader.inputs[1] === input) return numel(input.meta.shape) / out;
  return 1;
}

/** Terms of one sum. */
function terms(node: OpNode): number {
  const nodes = node.inputs.filter(isNode);
  if (node.op.kind === 'contract') {
    return numel(
      node.op.extents(
        nodes.map((n) => n.meta.shape),
        node.attributes,
      ),
    );
  }
  if (node.op.kind === 'scan') return node.meta.shape[node.attributes['dim'] as number] ?? 1;
  return numel(nodes[0]?.meta.shape ?? []) / Math.max(1, numel(node.meta.shape));
}

/** What a group is called: the ops that do its work, most frequent first. */
export function groupName(group: FusedGroup): string {
  const counts = new Map<string, number>();
  for (const node of group.inside) {
    if (node.kind !== 'op' || node.op.kind === 'create' || (node.op.kind === 'move' && node.op.view)) continue;
    const name = nodeName(node);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return (names.length > 0 ? names : [nodeName(group.root)]).slice(0, 4).join('_').replace(/\W+/g, '_');
}
