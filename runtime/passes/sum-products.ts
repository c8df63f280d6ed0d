/**
 * @file Sums of products. In: a functional graph. Out: products of one form that only one chain of additions takes (the
 * gradient of a weight that every time step used) are one product, with one more dim that it sums over; and so are sums of
 * tensors that lie together then.
 */
import { invariant } from '../errors.ts';
import { nodeInputs, rewrite, type Graph, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { many } from '../ops/many.ts';
import { formatAttributes } from '../ops/spec.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous, sameLayout } from '../tensor/layout.ts';
import { numel, sameShape } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { FEWEST, formOf, isProduct, isReused } from './products.ts';
import { prune } from './prune.ts';
import { evenly, joinOf, LARGEST, Stacks } from './stack.ts';
import { usesOf } from './uses.ts';
import { viewOf } from './views.ts';

/** A term of an addition: a contraction or a reduction, or a view of one. */
interface Leaf {
  readonly sum: OpNode;
  /** From what is added to the sum. */
  readonly views: readonly OpNode[];
}

interface Tree {
  /** In the order they are added in. */
  readonly terms: readonly Node[];
  /** Additions that go with it. */
  readonly additions: readonly OpNode[];
  /** The leaves that become one, for each term that is one of them. */
  readonly families: ReadonlyMap<Node, readonly Leaf[]>;
}

export const sumProducts = definePass({
  name: 'sum-products',
  doc: 'A sum of many products of one form is one product, which sums over one dim more.',
  example: {
    code: `(x, y) => {
      let sum = x.select(0, 0).matmul(y);
      for (let i = 1; i < 4; i++) sum = sum.add(x.select(0, i).matmul(y));
      return sum;
    }`,
    shapes: [
      [4, 8, 8],
      [8, 8],
    ],
  },
  requires: ['functional'],
  run(graph) {
    const trees = treesOf(graph);
    if (trees.size === 0) return graph;
    const now = new Map<Node, Node>();
    const current = (x: Node) => now.get(x) ?? x;
    const stacks = new Stacks(current);
    const rewritten = rewrite(graph, (node, build, before) => {
      const tree = trees.get(before);
      const instead = tree && added(node, tree, current, stacks, build);
      now.set(before, instead ?? node);
      return instead;
    });
    // What the sums stood for goes at once: to the passes after it would look like products that are needed.
    return prune.run(rewritten);
  },
});

/** The chains of additions that become shorter, by the last of each. */
function treesOf(graph: Graph): ReadonlyMap<Node, Tree> {
  const uses = usesOf(graph);
  const once = (x: Node): x is OpNode => x.kind === 'op' && uses.get(x) === 1;
  const inner = new Set<Node>();
  for (const node of graph.nodes) {
    if (isAddition(node)) for (const x of nodeInputs(node)) if (once(x) && isAddition(x)) inner.add(x);
  }
  const roots = graph.nodes.filter((node) => isAddition(node) && !inner.has(node));
  const found = roots.map((root) => ({ root, ...termsOf(root, inner) }));
  const candidates = found.map((tree) => ({ ...tree, alike: alike(tree.terms, once) }));
  const joins = new Set(candidates.flatMap((tree) => tree.alike.filter(isWorth).flatMap((leaves) => joinsOf(leaves))));
  const trees = new Map<Node, Tree>();
  for (const { root, terms, additions, alike: groups } of candidates) {
    const families = new Map<Node, readonly Leaf[]>();
    for (const group of groups) {
      if (!isWorth(group) && !isFree(group, joins)) continue;
      for (const leaves of bindable(group)) for (const leaf of leaves) families.set(leaf.views[0] ?? leaf.sum, leaves);
    }
    if (families.size > 0) trees.set(root, { terms, additions, families });
  }
  return trees;
}

function isAddition(node: Node): node is OpNode {
  if (node.kind !== 'op' || node.op.name !== 'add') return false;
  const { shape, dtype } = node.meta;
  return node.inputs.every((x) => typeof x === 'object' && sameShape(x.meta.shape, shape) && x.meta.dtype === dtype);
}

function termsOf(root: Node, inner: ReadonlySet<Node>): Pick<Tree, 'terms' | 'additions'> {
  const terms: Node[] = [];
  const additions: OpNode[] = [];
  const open = [root];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.kind === 'op' && (next === root || inner.has(next))) {
      additions.push(next);
      open.push(...nodeInputs(next).reverse());
    } else terms.push(next);
  }
  return { terms, additions };
}

/** Sums of one form, where there are enough of them. */
function alike(terms: readonly Node[], once: (x: Node) => x is OpNode): Leaf[][] {
  const forms = new Map<string, Leaf[]>();
  for (const term of terms) {
    const leaf = leafOf(term, once);
    if (!leaf) continue;
    const form = [formOf(leaf.sum), ...leaf.views.map((v) => `${v.op.name} ${formatAttributes(v.attributes)}`)].join('; ');
    const list = forms.get(form);
    if (list) list.push(leaf);
    else forms.set(form, [leaf]);
  }
  return [...forms.values()].filter((leaves) => leaves.length >= FEWEST);
}

function leafOf(term: Node, once: (x: Node) => x is OpNode): Leaf | undefined {
  const views: OpNode[] = [];
  let sum = term;
  while (once(sum) && sum.op.kind === 'move' && sum.op.view) {
    views.push(sum);
    [sum = term] = nodeInputs(sum);
  }
  return once(sum) && (isProduct(sum) || sum.op.name === 'sum') ? { sum, views } : undefined;
}

/** Whether what is computed is worth moving the operands together. */
function isWorth([leaf]: readonly Leaf[]): boolean {
  const sum = leaf?.sum;
  return sum !== undefined && isProduct(sum) && nodeInputs(sum).every((x) => isReused(x, sum));
}

/** Whether nothing is multiplied, and the operands lie together already, or will. */
function isFree(leaves: readonly Leaf[], joins: ReadonlySet<string>): boolean {
  if (leaves[0]?.sum.op.kind !== 'reduce') return false;
  return operandsOf(leaves).every((xs) => evenly(xs) ?? joins.has(joinOf(xs)));
}

const operandsOf = (leaves: readonly Leaf[]): Node[][] =>
  (leaves[0]?.sum.inputs ?? []).map((_, i) => leaves.flatMap(({ sum }) => nodeInputs(sum)[i] ?? []));

const joinsOf = (leaves: readonly Leaf[]): string[] => operandsOf(leaves).flatMap((xs) => (evenly(xs) ? [] : [joinOf(xs)]));

/** The leaves, in as many parts as have operands that a device can bind when they are stacked. */
function bindable(leaves: readonly Leaf[]): Leaf[][] {
  const largest = Math.max(...operandsOf(leaves.slice(0, 1)).flatMap((xs) => xs.map((x) => numel(x.meta.shape))));
  const most = Math.floor(LARGEST / Math.max(1, largest));
  const parts: Leaf[][] = [];
  for (let i = 0; i < leaves.length && most >= FEWEST; i += most) parts.push(leaves.slice(i, i + most));
  return parts.filter((part) => part.length >= FEWEST);
}

/** What stands in place of additions: their terms, those of a family as one, where the first of them was. */
function added(root: OpNode, tree: Tree, current: (x: Node) => Node, stacks: Stacks, build: GraphBuilder): Node {
  const done = new Set<readonly Leaf[]>();
  const terms: Node[] = [];
  for (const term of tree.terms) {
    const family = tree.families.get(term);
    if (!family) terms.push(current(term));
    else if (!done.has(family)) terms.push(together(family, tree.additions, current, stacks, build));
    if (family) done.add(family);
  }
  const { stack, origins, op, attributes } = root;
  return terms.reduce((a, b) => build.op(op, [a, b], attributes, { stack, origins }));
}

/** The sum over all operands of the family, and the views of it that each member had. */
function together(
  leaves: readonly Leaf[],
  additions: readonly OpNode[],
  current: (x: Node) => Node,
  stacks: Stacks,
  build: GraphBuilder,
): Node {
  const leaf = invariant(leaves[0], 'a family has members');
  const { sum, views } = leaf;
  const gone = [...leaves.flatMap((leaf) => [leaf.sum, ...leaf.views]), ...additions];
  const from = { stack: sum.stack, origins: gone.flatMap((x) => [...x.origins]) };
  const operands = operandsOf(leaves);
  const varying = operands.flatMap((xs, i) => (xs.every((x) => x === xs[0]) ? [] : [i]));
  const inputs = operands.map((xs, i) =>
    varying.includes(i) ? stacks.of(xs, build) : current(invariant(xs[0], 'an operand of each')),
  );
  const again = (x: Node) => views.reduceRight((y, view) => build.op(view.op, [y], view.attributes, view), x);
  if (sum.op.kind !== 'contract') return reduced(leaf, inputs, from, build, again);
  return again(build.op(many(sum.op), inputs, { ...sum.attributes, varying, count: leaves.length, summed: true }, from));
}

/** The reduction, over the first dim of a stack too: as its own shape is, or as that of what is made of it by `again`. */
function reduced(
  leaf: Leaf,
  stack: readonly Node[],
  from: Parameters<GraphBuilder['op']>[3],
  build: GraphBuilder,
  again: (x: Node) => Node,
): Node {
  const { sum, views } = leaf;
  const dims = [0, ...(sum.attributes['dims'] as readonly number[]).map((d) => d + 1)];
  const all = build.op(sum.op, stack, { dims, keepdim: false }, from);
  const { layout } = viewOf(views[0] ?? sum);
  if (sameLayout(layout, contiguous(all.meta.shape))) return all;
  return again(build.op(stridedSpec, [all], layoutAttributes(contiguous(sum.meta.shape)), from));
}
