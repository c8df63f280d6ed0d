/** @file Constant folding and identities: x + 0, x · 1, views of a constant, ops on constants. In and out: a functional graph. */
import { invariant } from '../errors.ts';
import { mul } from '../ops/binary.ts';
import { sum } from '../ops/reduce.ts';
import { referenceIn, type ElementwiseSpec, type OpSpec } from '../ops/spec.ts';
import { expand } from '../ops/views.ts';
import { fullSpec, writtenLayout } from '../ops/write.ts';
import { rewrite, isNode, type GraphBuilder, type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { dtypes } from '../tensor/dtype.ts';
import { sameLayout } from '../tensor/layout.ts';
import { sameShape } from '../tensor/shape.ts';
import { definePass } from './define.ts';

/** Ops that give their left operand back when the right one is this number. */
const RIGHT_IDENTITY: Readonly<Record<string, number>> = { add: 0, sub: 0, mul: 1, div: 1, pow: 1 };
const COMMUTATIVE = new Set(['add', 'mul']);

export const fold = definePass({
  name: 'fold',
  doc: 'Ops whose operands are constants are computed now, and those that change nothing (x + 0, x · 1) go.',
  example: {
    code: '(x) => x.add(0).div(ones([2, 3]).add(1))',
    shapes: [[2, 3]],
  },
  requires: ['functional'],
  run: (graph) => rewrite(graph, (node, build) => simpler(node, build)),
});

function simpler(node: OpNode, build: GraphBuilder): Node | undefined {
  const { op, inputs, meta } = node;
  if (op.kind === 'move') {
    const value = constantOf(inputs[0]);
    return value !== undefined && op.view ? full(node, value, build) : undefined;
  }
  if (op.kind === 'write') {
    const [base, value] = inputs;
    if (isNode(base) && isNode(value) && overwrites(node, base)) {
      return build.op(op, [invariant(base.inputs[0], 'a base'), value], node.attributes, node);
    }
    return isNode(base) &&
      isNode(value) &&
      sameShape(base.meta.shape, value.meta.shape) &&
      node.attributes['offset'] === 0 &&
      isWhole(node)
      ? value
      : undefined;
  }
  if (op.kind === 'contract') return ofConstant(node, build);
  if (op.kind !== 'elementwise') return undefined;
  return same(node, op) ?? joined(node, build) ?? computed(node, op, meta.dtype, build);
}

/** A matrix product with a number everywhere: every row of it (or column) is that number times the sum of the other's. */
function ofConstant(node: OpNode, build: GraphBuilder): Node | undefined {
  const [a, b] = node.inputs;
  if (node.op.name !== 'matmul' || !isNode(a) || !isNode(b) || node.meta.dtype !== 'float32') return undefined;
  const [left, right] = [constantOf(a), constantOf(b)];
  const [value, other, dim] = left === undefined ? [right, a, -1] : [left, b, -2];
  const { shape } = other.meta;
  if (value === undefined || !Number.isFinite(value) || a.meta.shape.length < 2 || b.meta.shape.length < 2) return undefined;
  const at = { stack: node.stack, origins: node.origins };
  const total = build.op(specOf(sum), [other], { dims: [shape.length + dim], keepdim: true }, at);
  const scaled = value === 1 ? total : build.op(specOf(mul), [total, value], {}, at);
  return build.op(specOf(expand), [scaled], { shape: node.meta.shape }, at);
}

const specOf = ({ entry }: { readonly entry: { readonly spec?: OpSpec } }): OpSpec =>
  invariant(entry.spec, 'an op of one kernel');

/** Whether nothing is left of what the base's own last write put there. */
function overwrites(node: OpNode, base: Node): base is OpNode {
  return (
    base.kind === 'op' && base.op.kind === 'write' && sameLayout(writtenLayout(node.attributes), writtenLayout(base.attributes))
  );
}

/** A write that replaces everything in order. */
function isWhole(node: OpNode): boolean {
  const strides = node.attributes['strides'] as readonly number[];
  let step = 1;
  return [...node.meta.shape].reverse().every((size, i) => {
    const fits = size === 1 || strides[strides.length - 1 - i] === step;
    step *= size;
    return fits;
  });
}

function same(node: OpNode, op: ElementwiseSpec): Node | undefined {
  const [a, b] = node.inputs;
  const identity = RIGHT_IDENTITY[op.name];
  if (identity === undefined) return undefined;
  if (constantOf(b) === identity && unchanged(a, node)) return a;
  if (COMMUTATIVE.has(op.name) && constantOf(a) === identity && unchanged(b, node)) return b;
  return undefined;
}

/** (x + 1) + 1 is x + 2, in whole numbers: counters that a graph moves on several times are read at once. */
function joined(node: OpNode, build: GraphBuilder): Node | undefined {
  const [inner, b] = node.inputs;
  const { dtype } = node.meta;
  if (node.op.name !== 'add' || (dtype !== 'int32' && dtype !== 'uint32')) return undefined;
  if (!isNode(inner) || inner.kind !== 'op' || inner.op.name !== 'add' || !unchanged(inner, node)) return undefined;
  const [x, a] = inner.inputs;
  const [first, second] = [constantOf(a), constantOf(b)];
  if (first === undefined || second === undefined || !unchanged(x, node)) return undefined;
  return build.op(node.op, [x, dtypes[dtype].round(first + second)], node.attributes, {
    ...node,
    origins: [...inner.origins, ...node.origins],
  });
}

function unchanged(x: NodeInput | undefined, node: OpNode): x is Node {
  return isNode(x) && x.meta.dtype === node.meta.dtype && sameShape(x.meta.shape, node.meta.shape);
}

function computed(node: OpNode, op: ElementwiseSpec, dtype: OpNode['meta']['dtype'], build: GraphBuilder): Node | undefined {
  const values = node.inputs.map(constantOf);
  const known = values.filter((v) => v !== undefined);
  if (known.length !== values.length || known.length === 0) return undefined;
  const type = op.computeType(node.inputs.map((x) => (isNode(x) ? x.meta : x)));
  const operands = known.map((v, i) => (op.params[i] === op.condition ? v : dtypes[type].round(v)));
  const result = dtypes[dtype].round(referenceIn(op, type)(...operands));
  return Number.isFinite(result) ? full(node, result, build) : undefined;
}

/** The number that every element of `x` is, if that is known. */
export function constantOf(x: NodeInput | undefined): number | undefined {
  if (!isNode(x)) return x;
  if (x.kind !== 'op' || x.op.kind !== 'create') return undefined;
  const { start, step } = x.op.value(x.attributes);
  return step === 0 ? start : undefined;
}

function full(node: OpNode, value: number, build: GraphBuilder): Node {
  return build.op(fullSpec, [], { shape: node.meta.shape, value, dtype: node.meta.dtype }, node);
}
