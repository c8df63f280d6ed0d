/**
 * @file Tensors of one shape along a new first dim. In: nodes. Out: a view where they lie evenly in one tensor, else a view of
 * a join of what they are views of, so that what is moved is what is stored.
 */
import { catSpec } from '../ops/join.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { invariant } from '../errors.ts';
import type { GraphBuilder, Node } from '../ir/graph.ts';
import { contiguous, sameLayout, type Layout } from '../tensor/layout.ts';
import { numel, sameShape } from '../tensor/shape.ts';
import { viewOf } from './views.ts';

/** Elements of a tensor that any device can bind. */
export const LARGEST = 1 << 25;

/** Builds stacks; a join that two of them need is made once. */
export class Stacks {
  private readonly joins = new Map<string, Node>();

  /** `current` is what stands in a graph that is being built in place of a node of the graph before. */
  constructor(private readonly current: (before: Node) => Node) {}

  /** The nodes, of the graph before, along a new first dim. */
  of(nodes: readonly Node[], build: GraphBuilder): Node {
    const even = evenly(nodes);
    const { parts, layout } = even ? { parts: [even.base], layout: even.layout } : joinable(nodes);
    const base = even ? this.current(even.base) : this.join(parts, build);
    if (sameLayout(layout, contiguous(base.meta.shape))) return base;
    return build.op(stridedSpec, [base], layoutAttributes(layout), movedFrom(nodes));
  }

  private join(parts: readonly Node[], build: GraphBuilder): Node {
    const key = keyOf(parts);
    const join = this.joins.get(key) ?? build.op(catSpec, parts.map(this.current), { dim: 0 }, movedFrom(parts));
    this.joins.set(key, join);
    return join;
  }
}

const keyOf = (nodes: readonly Node[]): string => nodes.map((x) => x.id).join();

/** Equal for stacks of which the join is the same. */
export function joinOf(nodes: readonly Node[]): string {
  return keyOf(joinable(nodes).parts);
}

/** What moves elements stands for one of the ops that each was computed by; some come from outside and have no place. */
function movedFrom(nodes: readonly Node[]) {
  const { stack = [] } = nodes.find((x) => x.stack.length > 0) ?? {};
  return { stack, origins: nodes.flatMap((x) => [...x.origins].slice(0, 1)) };
}

/** Where the nodes lie in one tensor, if they do so evenly. */
export function evenly(nodes: readonly Node[]): { base: Node; layout: Layout } | undefined {
  const [first, second, ...others] = nodes.map(viewOf);
  if (!first || !second) return undefined;
  const step = second.layout.offset - first.layout.offset;
  const follows = ({ base, layout }: typeof first, i: number) =>
    base === first.base && sameLayout({ ...layout, offset: layout.offset - i * step }, first.layout);
  if (![first, second, ...others].every(follows)) return undefined;
  const { shape, strides, offset } = first.layout;
  return { base: first.base, layout: { shape: [nodes.length, ...shape], strides: [step, ...strides], offset } };
}

/** What to join, and the stack's layout in that: what the nodes are equal views of, unless they are views of a small part. */
function joinable(nodes: readonly Node[]): { parts: readonly Node[]; layout: Layout } {
  const views = nodes.map(viewOf);
  const first = invariant(views[0], 'something to stack');
  const { shape } = first.base.meta;
  const alike = views.every(({ base, layout }) => sameShape(base.meta.shape, shape) && sameLayout(layout, first.layout));
  const whole = alike && shape.length > 0 && numel(shape) <= numel(first.layout.shape);
  const { layout, parts } = whole
    ? { layout: first.layout, parts: views.map((v) => v.base) }
    : { layout: contiguous(first.layout.shape), parts: nodes };
  const { strides, offset } = layout;
  return {
    parts,
    layout: { shape: [nodes.length, ...layout.shape], strides: [numel(whole ? shape : layout.shape), ...strides], offset },
  };
}
