/**
 * @file Writes that cover a tensor. In: a functional graph. Out: a chain of writes to disjoint slices which together fill
 * the tensor becomes one join of the written values, and so does a sum of slices in zeros; what was there before no longer
 * matters.
 */
import { catSpec } from '../ops/join.ts';
import { fullSpec, writtenLayout } from '../ops/write.ts';
import { isNode, rewrite, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { contiguous } from '../tensor/layout.ts';
import { sameShape } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { boxOf } from './views.ts';

interface Part {
  readonly dim: number;
  readonly from: number;
  readonly size: number;
  readonly value: Node;
  readonly write: OpNode;
}

/** Slices that are looked for under additions, each of which looks anew. */
const MOST_ADDED = 64;

export const tileWrites = definePass({
  name: 'tile-writes',
  doc: 'A tensor that is filled slice by slice becomes one join of the slices, which one kernel can compute.',
  example: {
    code: `(x, y) => {
      const z = zeros([4, 3]);
      z.slice(0, 2, 4).copy_(y);
      z.slice(0, 0, 2).copy_(x);
      return z;
    }`,
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  requires: ['functional'],
  run: (graph) =>
    rewrite(graph, (node, build) => (node.op.kind === 'write' || isAddition(node) ? joined(node, build) : undefined)),
});

function joined(last: OpNode, build: GraphBuilder): Node | undefined {
  const parts = last.op.kind === 'write' ? slices(last) : addedSlices(last);
  const [first] = parts ?? [];
  if (!parts || !first || parts.length < 2) return undefined;
  const sorted = [...parts].sort((a, b) => a.from - b.from);
  let end = 0;
  for (const part of sorted) {
    if (part.from !== end || part.dim !== first.dim) return undefined;
    end += part.size;
  }
  if (end !== last.meta.shape[first.dim]) return undefined;
  const origins = [...last.origins, ...parts.flatMap((p) => [...p.write.origins])];
  const inputs = sorted.map((p) => p.value);
  return build.op(catSpec, inputs, { dim: first.dim }, { stack: last.stack, origins });
}

/** The slices that the chain of writes ending in `last` sets, the latest where one is set twice. */
function slices(last: OpNode): Part[] | undefined {
  const parts = new Map<number, Part>();
  let covered = 0;
  for (let node: Node = last; node.kind === 'op' && node.op.kind === 'write';) {
    const part = partOf(node, parts.values().next().value?.dim);
    if (!part) return undefined;
    const known = parts.get(part.from);
    if (known && known.size !== part.size) return undefined;
    if (!known) {
      parts.set(part.from, part);
      covered += part.size;
    }
    if (covered === last.meta.shape[part.dim]) break;
    const [before]: OpNode['inputs'] = node.inputs;
    if (!isNode(before)) return undefined;
    node = before;
  }
  return [...parts.values()];
}

/** The slices of tensors that are zero elsewhere and are added up, which is how gradients of slices meet. */
function addedSlices(last: OpNode): Part[] | undefined {
  const parts: Part[] = [];
  const open: Node[] = [last];
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind === 'op' && isAddition(node)) {
      for (const input of node.inputs) {
        if (!isNode(input)) return undefined;
        open.push(input);
      }
    } else {
      const part = node.kind === 'op' && node.op.kind === 'write' ? partOf(node, parts[0]?.dim) : undefined;
      const [base] = part?.write.inputs ?? [];
      if (!part || !isNode(base) || !isZero(base) || !sameShape(base.meta.shape, last.meta.shape)) return undefined;
      parts.push(part);
    }
    if (parts.length + open.length > MOST_ADDED) return undefined;
  }
  return parts;
}

/** What a write sets, where that is a slice along one dim (along `dim`, when it is given) of all that there is in the others. */
function partOf(node: OpNode, dim: number | undefined): Part | undefined {
  const [, value] = node.inputs;
  const { shape } = node.meta;
  const layout = writtenLayout(node.attributes);
  const box = boxOf(layout, shape);
  if (!isNode(value) || !box) return undefined;
  const partial = box.flatMap(([from, to], d) => (to - from + 1 === shape[d] ? [] : [d]));
  const [along = dim, ...others] = partial;
  if (along === undefined || others.length > 0 || (dim !== undefined && along !== dim)) return undefined;
  const [from, to] = box[along] ?? [0, 0];
  const size = to - from + 1;
  const slice = shape.map((s, d) => (d === along ? size : s));
  const { strides } = contiguous(shape);
  // The value must lie in the slice as a slice does, so that it can stand in a join as it is.
  const plain =
    value.meta.shape.length === slice.length &&
    slice.every((s, d) => s === value.meta.shape[d] && (s === 1 || layout.strides[d] === strides[d]));
  return plain ? { dim: along, from, size, value, write: node } : undefined;
}

const isAddition = ({ op }: OpNode): boolean => op.kind === 'elementwise' && op.name === 'add';
const isZero = (node: Node): boolean => node.kind === 'op' && node.op === fullSpec && node.attributes['value'] === 0;
