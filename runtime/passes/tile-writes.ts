/**
 * @file Writes that cover a tensor. In: a functional graph. Out: a chain of writes to disjoint slices which together fill
 * the tensor becomes one join of the written values; what the tensor held before no longer matters.
 */
import { catSpec } from '../ops/join.ts';
import { writtenLayout } from '../ops/write.ts';
import { isNode, rewrite, type GraphBuilder, type Node, type OpNode } from '../ir/graph.ts';
import { contiguous } from '../tensor/layout.ts';
import { definePass } from './define.ts';
import { boxOf } from './views.ts';

interface Part {
  readonly from: number;
  readonly size: number;
  readonly value: Node;
  readonly write: OpNode;
}

export const tileWrites = definePass({
  name: 'tile-writes',
  doc: 'A tensor that is filled slice by slice becomes one join of the slices, which one kernel can compute.',
  requires: ['functional'],
  run: (graph) => rewrite(graph, (node, build) => (node.op.kind === 'write' ? joined(node, build) : undefined)),
});

function joined(last: OpNode, build: GraphBuilder): Node | undefined {
  const { shape } = last.meta;
  const found = slices(last);
  const dim = found?.dim;
  if (!found || dim === undefined) return undefined;
  const parts = [...found.parts.values()].sort((a, b) => a.from - b.from);
  let end = 0;
  for (const part of parts) {
    if (part.from !== end) return undefined;
    end += part.size;
  }
  if (end !== shape[dim] || parts.length < 2) return undefined;
  const inputs = parts.map((p) => p.value);
  const origins = parts.flatMap((p) => [...p.write.origins]);
  return build.op(catSpec, inputs, { dim }, { stack: last.stack, origins });
}

/** The slices that the chain of writes ending in `last` sets, the latest where one is set twice. */
function slices(last: OpNode): { dim: number; parts: Map<number, Part> } | undefined {
  const { shape } = last.meta;
  const parts = new Map<number, Part>();
  let dim: number | undefined;
  let covered = 0;
  for (let node: Node = last; node.kind === 'op' && node.op.kind === 'write';) {
    const [before, value]: OpNode['inputs'] = node.inputs;
    const layout = writtenLayout(node.attributes);
    const box = boxOf(layout, shape);
    if (!isNode(before) || !isNode(value) || !box) return undefined;
    const partial = box.flatMap(([from, to], d) => (to - from + 1 === shape[d] ? [] : [d]));
    const [along = dim, ...others] = partial;
    if (along === undefined || others.length > 0 || (dim !== undefined && along !== dim)) return undefined;
    dim = along;
    const [from, to] = box[dim] ?? [0, 0];
    const size = to - from + 1;
    const slice = shape.map((s, d) => (d === along ? size : s));
    const { strides } = contiguous(shape);
    // The value must lie in the slice as a slice does, so that it can stand in a join as it is.
    const plain =
      value.meta.shape.length === slice.length &&
      slice.every((s, d) => s === value.meta.shape[d] && (s === 1 || layout.strides[d] === strides[d]));
    if (!plain) return undefined;
    const known = parts.get(from);
    if (known && known.size !== size) return undefined;
    if (!known) {
      parts.set(from, { from, size, value, write: node });
      covered += size;
    }
    if (covered === shape[dim]) return { dim, parts };
    node = before;
  }
  return undefined;
}
