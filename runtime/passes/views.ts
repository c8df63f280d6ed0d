/** @file Looking through views in a functional graph. In: a node. Out: what it is a view of, and where it lies in that. */
import { isNode, type Node } from '../ir/graph.ts';
import { contiguous, sameLayout, type Layout } from '../tensor/layout.ts';
import type { Shape } from '../tensor/shape.ts';

export interface ViewOf {
  readonly base: Node;
  /** Over the row-major elements of `base`. */
  readonly layout: Layout;
}

/** The furthest node of which `node` is a view that strides can say; itself when it is not a view. */
export function viewOf(node: Node): ViewOf {
  const own = { base: node, layout: contiguous(node.meta.shape) };
  const [input] = node.inputs;
  if (node.kind !== 'op' || node.op.kind !== 'move' || !node.op.view || !isNode(input)) return own;
  const parent = viewOf(input);
  const layout = node.op.view(parent.layout, node.attributes);
  if (layout) return { base: parent.base, layout };
  const direct = node.op.view(contiguous(input.meta.shape), node.attributes);
  return direct ? { base: input, layout: direct } : own;
}

/** Whether two views of one base share an element; `equal` when they are the same view. */
export function overlap(a: Layout, b: Layout, base: Shape): 'equal' | 'disjoint' | 'unknown' {
  if (sameLayout(a, b)) return 'equal';
  const [boxA, boxB] = [boxOf(a, base), boxOf(b, base)];
  if (!boxA || !boxB) return 'unknown';
  return boxA.some(([from, to], d) => to < (boxB[d]?.[0] ?? 0) || (boxB[d]?.[1] ?? 0) < from) ? 'disjoint' : 'unknown';
}

/** First and last index that a view reaches in each dim of its base; undefined when its dims do not follow the base's. */
export function boxOf(layout: Layout, base: Shape): readonly (readonly [number, number])[] | undefined {
  const { strides } = contiguous(base);
  const lengths = base.map(() => 0);
  for (const [d, size] of layout.shape.entries()) {
    if (size === 0) return undefined;
    if (size === 1) continue;
    const step = layout.strides[d] ?? 0;
    const own = base.findIndex((s, i) => s > 1 && step >= (strides[i] ?? 1) && step % (strides[i] ?? 1) === 0);
    const reach = ((size - 1) * step) / (strides[own] ?? 1);
    if (own < 0 || reach >= (base[own] ?? 1)) return undefined;
    lengths[own] = (lengths[own] ?? 0) + reach;
  }
  let rest = layout.offset;
  const box = base.map((_, d) => {
    const from = Math.floor(rest / (strides[d] ?? 1));
    rest -= from * (strides[d] ?? 1);
    return [from, from + (lengths[d] ?? 0)] as const;
  });
  return box.every(([, to], d) => to < (base[d] ?? 1)) ? box : undefined;
}
