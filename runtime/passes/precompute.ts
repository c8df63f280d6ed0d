/**
 * @file What is computed from frozen tensors alone is computed once, now, on the device that they are on. In: a functional
 * graph. Out: frozen tensors in place of such values. Views stay index arithmetic, and what would be larger than all that it is
 * made of stays where it is used. A graph that is not frozen stays as it is.
 */
import { invariant } from '../errors.ts';
import { isNode, nodeInputs, rewrite, type Graph, type Node, type OpNode } from '../ir/graph.ts';
import { apply } from '../ops/apply.ts';
import { clone } from '../ops/move.ts';
import { withRecorder } from '../ops/recorder.ts';
import { permuted } from '../tensor/layout.ts';
import { outsideScopes, scoped } from '../tensor/scope.ts';
import { numel, sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { definePass } from './define.ts';
import { constantsOf } from './frozen.ts';
import { prune } from './prune.ts';
import { isSum } from './sums.ts';
import { viewOf } from './views.ts';

export const precompute = definePass({
  name: 'precompute',
  doc: 'What depends on frozen tensors alone is computed once, when the code is frozen.',
  example: {
    code: '(x) => x.mul(weight.exp())',
    shapes: [[2, 3]],
    frozen: { weight: [3] },
  },
  requires: ['functional'],
  run(graph) {
    const wanted = wantedIn(graph);
    if (wanted.size === 0) return graph;
    const values = valuesOf(graph, wanted);
    let storage = Math.max(...graph.nodes.map((node) => (node.kind === 'external' ? node.storage : 0)));
    let count = 0;
    const rewritten = rewrite(graph, ({ meta, stack }, build, before) => {
      const value = values.get(before);
      if (!value) return undefined;
      const { tensor, origins } = value;
      const name = `frozen${count++}`;
      const { layout } = tensor;
      return build.external({ role: 'constant', name, layout, meta, stack, storage: ++storage, tensor, frozen: true, origins });
    });
    return prune.run(rewritten);
  },
});

/** Constants that something else reads, or is given back, if it is worth having them in memory. */
function wantedIn(graph: Graph): Set<OpNode> {
  const constants = constantsOf(graph);
  const wanted = new Set<OpNode>();
  const want = (node: Node): void => {
    if (!constants.has(node) || node.kind === 'external' || node.op.kind === 'create') return;
    if (isView(node) || isLarger(node)) nodeInputs(node).forEach(want);
    else wanted.add(node);
  };
  if (constants.size === 0) return wanted;
  for (const node of graph.nodes) if (!constants.has(node)) nodeInputs(node).forEach(want);
  [...graph.outputs, ...graph.writes.map((w) => w.value)].forEach(want);
  return wanted;
}

const isView = ({ op }: OpNode): boolean => op.kind === 'move' && op.view !== undefined;

/** Than all that is in memory of what it is computed from. */
function isLarger(node: OpNode): boolean {
  const bases = new Set(nodeInputs(node).map((x) => viewOf(x).base));
  const held = [...bases].filter((x) => x.kind === 'external' || x.op.kind !== 'create');
  return !isSum(node.op) && numel(node.meta.shape) > held.reduce((sum, x) => sum + numel(x.meta.shape), 0);
}

interface Value {
  readonly tensor: Tensor;
  /** All that was computed for it. */
  readonly origins: ReadonlySet<number>;
}

function valuesOf(graph: Graph, wanted: ReadonlySet<Node>): ReadonlyMap<Node, Value> {
  const known = new Map<Node, Value>();
  const valueOf = (node: Node): Value => {
    const before = known.get(node);
    if (before) return before;
    const made =
      node.kind === 'external'
        ? { tensor: invariant(node.tensor, 'a frozen tensor'), origins: new Set<number>() }
        : computed(node);
    known.set(node, made);
    return made;
  };
  const computed = (node: OpNode): Value => {
    const from = nodeInputs(node).map(valueOf);
    const inputs = node.inputs.map((x) => (isNode(x) ? valueOf(x).tensor : x));
    const tensor = apply(node.op, inputs, node.attributes);
    return {
      tensor: isView(node) ? tensor : laidOutLike(inputs, tensor),
      origins: new Set([...node.origins, ...from.flatMap((v) => [...v.origins])]),
    };
  };
  const all = () => new Map(graph.nodes.flatMap((node) => (wanted.has(node) ? [[node, valueOf(node)] as const] : [])));
  // What they are made of goes; nothing of it is part of what others record, or of their scopes.
  return withRecorder(undefined, () =>
    outsideScopes(() => scoped(all, (values) => [...values.values()].map((v) => v.tensor.storage))),
  );
}

/** Its elements in the order in which those of an operand of its shape lie: a transposed weight stays one. */
function laidOutLike(inputs: readonly (Tensor | number)[], made: Tensor): Tensor {
  const like = inputs.find((x): x is Tensor => x instanceof Tensor && sameShape(x.shape, made.shape));
  const strides = like?.strides ?? [];
  const order = strides.map((_, d) => d).sort((a, b) => (strides[b] ?? 0) - (strides[a] ?? 0));
  if (order.every((d, i) => d === i) || strides.includes(0)) return made;
  const spec = invariant(clone.entry.spec, 'a copy has a kernel');
  const copy = apply(spec, [new Tensor(made.storage, permuted(made.layout, order))]);
  const back = order.map((_, d) => order.indexOf(d));
  return new Tensor(copy.storage, permuted(copy.layout, back));
}
