/**
 * @file Products that are ready at once. In: a functional graph. Out: products of one form whose operands lie evenly in the
 * same tensors (a weight and the steps of a sequence) are one product, computed before the first of them.
 */
import { invariant } from '../errors.ts';
import { nodeInputs, rewrite, type Graph, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { many } from '../ops/many.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous } from '../tensor/layout.ts';
import { numel } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { FEWEST, formOf, isProduct, isReused, type Contraction } from './products.ts';
import { LARGEST, Stacks } from './stack.ts';
import { viewOf } from './views.ts';

/** Results of more elements keep a device busy by themselves. */
const SMALL = 1 << 20;

/** Products that become one: those of each of its places, which are equal, and which operands are another for each place. */
interface Family {
  readonly members: readonly (readonly Contraction[])[];
  readonly varying: readonly number[];
}

export const mergeProducts = definePass({
  name: 'merge-products',
  doc: 'Products of slices that lie evenly in one tensor (every step of a sequence by one weight) are one product.',
  example: {
    code: '(x, y) => x.unbind().map((step) => step.matmul(y).tanh())',
    shapes: [
      [4, 8, 8],
      [8, 8],
    ],
  },
  requires: ['functional'],
  run(graph) {
    const places = placesOf(familiesIn(graph));
    if (places.size === 0) return graph;
    const now = new Map<Node, Node>();
    const stacks = new Stacks((x) => now.get(x) ?? x);
    const products = new Map<Family, Node>();
    return rewrite(graph, (node, build, before) => {
      const at = places.get(before);
      const whole = at && (products.get(at.family) ?? together(at.family, node, stacks, build));
      if (whole) products.set(at.family, whole);
      const { shape, strides } = contiguous(node.meta.shape);
      const layout = { shape, strides, offset: (at?.place ?? 0) * numel(shape) };
      const instead = whole && build.op(stridedSpec, [whole], layoutAttributes(layout), node);
      now.set(before, instead ?? node);
      return instead;
    });
  },
});

function placesOf(families: readonly Family[]): ReadonlyMap<Node, { family: Family; place: number }> {
  return new Map(
    families.flatMap((family) => family.members.flatMap((equal, place) => equal.map((m) => [m, { family, place }] as const))),
  );
}

/** All of them; `node` is the first that is computed, whose operands are there. */
function together({ members, varying }: Family, node: OpNode, stacks: Stacks, build: GraphBuilder): Node {
  const { op } = invariant(members[0]?.[0], 'a family has members');
  const operands = (i: number) => members.flatMap(([m]) => (m && nodeInputs(m)[i]) ?? []);
  const inputs = node.inputs.map((x, i) => (varying.includes(i) ? stacks.of(operands(i), build) : x));
  const attributes = { ...node.attributes, varying, count: members.length, summed: false };
  const origins = members.flat().flatMap((m) => [...m.origins]);
  return build.op(many(op), inputs, attributes, { stack: node.stack, origins });
}

function familiesIn(graph: Graph): readonly Family[] {
  const kept = new Set<Node>([...graph.outputs, ...graph.writes.map((w) => w.value)]);
  const alike = new Map<string, Contraction[]>();
  for (const node of graph.nodes) {
    // What is stored by itself would have to be copied there.
    if (!isProduct(node) || kept.has(node) || numel(node.meta.shape) > SMALL) continue;
    if (![node, ...nodeInputs(node)].every((x) => isReused(x, node))) continue;
    const operands = nodeInputs(node).map((x) => viewOf(x));
    const key = [formOf(node), ...operands.map(({ base, layout }) => `%${base.id} ${layout.strides.join()}`)].join('; ');
    const list = alike.get(key);
    if (list) list.push(node);
    else alike.set(key, [node]);
  }
  return [...alike.values()].flatMap(runsOf);
}

/** The members in runs, in each of which the offsets of every operand grow by the same. */
function runsOf(members: readonly Contraction[]): Family[] {
  const placed = members.map((m) => ({ m, at: nodeInputs(m).map((x) => viewOf(x).layout.offset) }));
  placed.sort((a, b) => difference(a.at, b.at).find((d) => d !== 0) ?? 0);
  const runs: { members: Contraction[][]; last: readonly number[]; step?: readonly number[] }[] = [];
  for (const { m, at } of placed) {
    const run = runs.at(-1);
    const step = difference(at, run?.last ?? at);
    const most = LARGEST / numel(m.meta.shape);
    if (run && step.every((d) => d === 0)) run.members.at(-1)?.push(m);
    else if (run && run.members.length < most && (run.step ?? step).every((d, i) => d === step[i])) {
      run.members.push([m]);
      run.step = step;
      run.last = at;
    } else runs.push({ members: [[m]], last: at });
  }
  return runs
    .filter((run) => run.members.length >= FEWEST)
    .map(({ members: places, step = [] }) => ({ members: places, varying: step.flatMap((d, i) => (d === 0 ? [] : [i])) }));
}

const difference = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => x - (b[i] ?? 0));
