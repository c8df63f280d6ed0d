/**
 * @file In-place ops become pure ones. In: a recorded graph, in which views alias and ops write through them. Out: a graph
 * of values: a write into a view makes a new value of what it views, and every later read sees that. What is written into
 * tensors from outside is listed in `writes`. Refuses what it cannot say exactly.
 */
import { invariant, JitLensError } from '../errors.ts';
import { at } from '../frames.ts';
import { conversions } from '../ops/convert.ts';
import { clone } from '../ops/move.ts';
import type { OpSpec } from '../ops/spec.ts';
import { expand } from '../ops/views.ts';
import { writeSpec } from '../ops/write.ts';
import {
  GraphBuilder,
  isNode,
  nodeName,
  titleOf,
  type ExternalNode,
  type Graph,
  type Node,
  type OpNode,
  type Returned,
} from '../ir/graph.ts';
import { axis, fromAxis } from '../tensor/affine.ts';
import { contiguous, isContiguous, type Layout } from '../tensor/layout.ts';
import { numel, sameShape } from '../tensor/shape.ts';
import { inverse } from '../kernels/lower.ts';
import { definePass } from './define.ts';

/** A recorded value: the views that lead to it from what it aliases. */
interface Alias {
  readonly base: Node;
  readonly chain: readonly OpNode[];
}

export const functionalise = definePass({
  name: 'functionalise',
  doc: 'In-place ops and writes through views become pure ops, so that every value is computed once and never changes.',
  example: {
    code: `(x, y) => {
      x.select(0, 1).add_(y.select(0, 0));
      return x.mul(2);
    }`,
    shapes: [
      [2, 3],
      [2, 3],
    ],
  },
  requires: [],
  establishes: ['functional'],
  run(graph) {
    const state = new Functional();
    for (const node of graph.nodes) {
      if (node.kind === 'external') state.external(node);
      else if (node.op.kind === 'move' && node.op.view && isNode(node.inputs[0])) state.view(node, node.inputs[0]);
      else if (node.op.inPlace) state.write(node);
      else state.pure(node);
    }
    return state.finish(graph);
  },
});

/** Whether somebody else holds it, and sees what is written. */
function isOutside(base: Node): base is ExternalNode {
  return base.kind === 'external' && !base.made;
}

function copyOf(node: Node): OpSpec {
  return invariant(clone.entry.spec, `${nodeName(node)} can be copied`);
}

/** Eager code took this view, so strides can say it. */
function viewedBy(layout: Layout, { op, attributes }: OpNode): Layout {
  return invariant(op.kind === 'move' && op.view?.(layout, attributes), `${op.name} is a view`);
}

class Functional {
  private readonly build = new GraphBuilder();
  private readonly aliases = new Map<Node, Alias>();
  /** The value that each aliased base has now. */
  private readonly current = new Map<Node, Node>();
  /** Tensors from outside, with the first op that writes each. */
  private readonly changed = new Map<ExternalNode, OpNode>();
  private readonly externals: ExternalNode[] = [];
  /** What reading an alias gave, and the base's value that it was read from. */
  private readonly reads = new Map<Node, { from: Node; value: Node }>();

  external(node: ExternalNode): void {
    this.build.keep(node);
    this.externals.push(node);
    this.aliases.set(node, { base: node, chain: [] });
    // Host data is the same at every call, and so must not be written.
    this.current.set(node, node.made ? this.build.op(copyOf(node), [node], {}, node) : node);
  }

  view(node: OpNode, input: Node): void {
    const { base, chain } = this.alias(input);
    this.aliases.set(node, { base, chain: [...chain, node] });
  }

  pure(node: OpNode): void {
    const value = this.build.op(
      node.op,
      node.inputs.map((x) => (isNode(x) ? this.read(x) : x)),
      node.attributes,
      node,
    );
    this.aliases.set(node, { base: node, chain: [] });
    this.current.set(node, value);
  }

  write(node: OpNode): void {
    const target = invariant(isNode(node.inputs[0]) && node.inputs[0], 'an in-place op has a target');
    const { base, chain } = this.alias(target);
    const op = invariant(node.op.inPlace, 'an in-place op has a pure form');
    const inputs = node.inputs.map((x) => (isNode(x) ? this.read(x) : x));
    const result = this.build.op(op, inputs, node.attributes, node);
    const value = this.fitted(result, target, node);
    if (chain.length === 0) this.current.set(base, value);
    else {
      const layout = this.composed(base, chain, node);
      const { shape, strides, offset } = layout;
      this.current.set(base, this.build.op(writeSpec, [this.value(base), value], { shape, strides, offset }, node));
    }
    if (isOutside(base) && !this.changed.has(base)) this.changed.set(base, node);
    this.aliases.set(node, { base, chain });
  }

  /** The result in the dtype of what it is written into. */
  private fitted(value: Node, target: Node, from: OpNode): Node {
    const { dtype, shape } = target.meta;
    const typed = value.meta.dtype === dtype ? value : this.build.op(conversions[dtype], [value], {}, from);
    const spec = invariant(expand.entry.spec, 'expand has a kernel');
    return sameShape(typed.meta.shape, shape) ? typed : this.build.op(spec, [typed], { shape }, from);
  }

  private composed(base: Node, chain: readonly OpNode[], at: OpNode): Layout {
    let layout: Layout | undefined = contiguous(base.meta.shape);
    for (const view of chain) layout = layout && view.op.kind === 'move' ? view.op.view?.(layout, view.attributes) : undefined;
    const place = fromAxis(axis('flat', numel(base.meta.shape)));
    if (!layout || !inverse(layout, place)) {
      throw new JitLensError(
        'JL609',
        `${at.op.name} writes into a view that a graph cannot express`,
        'Compute the new value with the out-of-place form and join it with cat() or where().',
        at.stack[0],
      );
    }
    return layout;
  }

  private alias(node: Node): Alias {
    return invariant(this.aliases.get(node), 'a value is recorded before it is used');
  }

  private value(base: Node): Node {
    return invariant(this.current.get(base), 'a base has a value');
  }

  private read(node: Node): Node {
    const { base, chain } = this.alias(node);
    const from = this.value(base);
    if (chain.length === 0) return from;
    const known = this.reads.get(node);
    if (known?.from === from) return known.value;
    const last = invariant(chain.at(-1), 'a chain of views');
    const parent = isNode(last.inputs[0]) ? this.read(last.inputs[0]) : from;
    const value = this.build.op(last.op, [parent], last.attributes, last);
    this.reads.set(node, { from, value });
    return value;
  }

  finish(graph: Graph): Graph {
    for (const [target, by] of this.changed) this.refuseAliases(target, by);
    const bases: Node[] = [];
    const returned = graph.outputs.map((x): Returned => {
      const { base, chain } = this.alias(x);
      const layout = chain.reduce(viewedBy, isOutside(base) ? base.layout : contiguous(base.meta.shape));
      if (isOutside(base)) return { of: base, layout };
      const known = bases.indexOf(base);
      return { of: known < 0 ? bases.push(base) - 1 : known, layout };
    });
    return {
      nodes: this.build.nodes,
      outputs: bases.map((base) => this.value(base)),
      returned,
      writes: [...this.changed.keys()].map((target) => ({ target, value: this.value(target) })),
    };
  }

  /** Two tensors from outside over one storage, one of which is written: the other would have to change with it. */
  private refuseAliases(target: ExternalNode, { op, stack }: OpNode): void {
    const twin = this.externals.find((x) => x !== target && x.storage === target.storage);
    if (!twin && target.layout.offset === 0 && isContiguous(target.layout)) return;
    throw new JitLensError(
      'JL609',
      `${op.name} writes into ${titleOf(target)}${at(stack[0])}, and ${twin ? `${titleOf(twin)} shares its memory` : 'that is a view of a larger tensor'}`,
      'Pass the whole tensor alone, and take the view inside the compiled function; or pass a clone() of what is only read.',
      stack[0],
    );
  }
}
