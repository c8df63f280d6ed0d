/**
 * @file From a group of graph nodes to a loop nest. In: the nodes that become one kernel, the tensors it reads and the one
 * it fills. Out: stores of expressions, in which views have become index arithmetic and intermediate tensors are gone.
 */
import { invariant } from '../errors.ts';
import { writtenLayout } from '../ops/write.ts';
import type { ElementwiseSpec, Source } from '../ops/spec.ts';
import {
  axis,
  condition,
  constant,
  divide,
  flatten,
  fromAxis,
  modulo,
  plus,
  times,
  unflatten,
  type Axis,
  type Index,
} from '../tensor/affine.ts';
import { arithmeticType, isFloat, type DType } from '../tensor/dtype.ts';
import { contiguous, type Layout } from '../tensor/layout.ts';
import { contiguousStrides, numel, sameShape, type Shape } from '../tensor/shape.ts';
import type { Node, NodeInput, OpNode } from '../ir/graph.ts';
import { isNode, layoutOf } from '../ir/graph.ts';
import { addition, product } from './arithmetic.ts';
import { Builder, combinerOf, sumCombiner, type Expr } from './expr.ts';
import type { Nest } from './nest.ts';

export interface Group {
  /** The nodes whose elements are stored: of one shape, or joins of parts of one shape. */
  readonly roots: readonly OpNode[];
  /** Nodes computed inside the kernel, the roots among them. */
  readonly inside: ReadonlySet<Node>;
}

/** Where the root's elements go. */
export interface Target {
  readonly layout: Layout;
  readonly dtype: DType;
}

export interface Lowered {
  readonly nest: Nest;
  /** Tensors that loads name by position. The roots have the positions after the last. */
  readonly reads: readonly Node[];
  readonly roots: readonly OpNode[];
}

/** Without a target each root fills a row-major tensor of its own shape. */
export function lower({ roots, inside }: Group, target?: Target): Lowered {
  const state = new Lowering(inside);
  const axes = iterated(roots).map((size, d) => axis(`o${d}`, size));
  const position = axes.map(fromAxis);
  const stores: { root: number; index: Index; value: Expr }[] = [];
  roots.forEach((node, root) => {
    const to = target ?? { layout: contiguous(node.meta.shape), dtype: node.meta.dtype };
    const store = (of: Node, index: readonly Index[]) => {
      const value = state.b.cast(state.value(of, position, 0), to.dtype);
      stores.push({ root, value, index: flatten(index, to.layout.strides, to.layout.offset) });
    };
    const { dim, shape, inputs } = joinedParts(node) ?? { dim: 0, shape: [], inputs: [node] };
    const step = shape[dim] ?? 0;
    inputs.forEach((part, i) => store(part, shifted(position, dim, i * step)));
  });
  const { reads } = state;
  return {
    nest: {
      axes: axes.filter((a) => a.extent !== 1),
      stores: stores.map(({ root, index, value }) => ({ index, value, buffer: reads.length + root })),
      builder: state.b,
    },
    reads,
    roots,
  };
}

const shifted = (position: readonly Index[], dim: number, by: number): Index[] =>
  position.map((index, d) => (d === dim ? plus(index, by) : index));

/** The positions that a kernel goes through: those of one part, where its roots lay parts of one shape end to end. */
export function iterated(roots: readonly OpNode[]): Shape {
  const [root] = roots;
  return root ? (joinedParts(root)?.shape ?? root.meta.shape) : [];
}

/** A root that lays tensors of one shape end to end is stored part by part, so that parts can share their loads. */
export function joinedParts(root: OpNode): { dim: number; shape: Shape; inputs: readonly Node[] } | undefined {
  if (root.op.kind !== 'join') return undefined;
  const inputs = root.inputs.filter(isNode);
  const [first] = inputs;
  if (!first || inputs.some((x) => !sameShape(x.meta.shape, first.meta.shape))) return undefined;
  return { dim: root.attributes['dim'] as number, shape: first.meta.shape, inputs };
}

class Lowering {
  readonly b = new Builder();
  readonly reads: Node[] = [];
  private readonly memo = new Map<string, Expr>();

  constructor(private readonly inside: ReadonlySet<Node>) {}

  /** The value of `input` at `index`; reductions inside it use axes numbered from `depth`. */
  value(input: NodeInput, index: readonly Index[], depth: number): Expr {
    if (!isNode(input)) return this.b.literal(input, Number.isInteger(input) ? 'int32' : 'float32');
    const key = `${input.id}@${depth}:${index.map((i) => i.key).join()}`;
    const known = this.memo.get(key);
    if (known) return known;
    const outer = this.b.origin;
    // A load is for the op that reads; what comes from outside has no line of its own to point at.
    if (input.kind === 'op') this.b.origin = input.id;
    const expr = input.kind === 'op' && this.inside.has(input) ? this.compute(input, index, depth) : this.load(input, index);
    this.b.origin = outer;
    this.memo.set(key, expr);
    return expr;
  }

  private load(node: Node, index: readonly Index[]): Expr {
    let buffer = this.reads.indexOf(node);
    if (buffer < 0) buffer = this.reads.push(node) - 1;
    const { strides, offset } = layoutOf(node);
    return this.b.load(buffer, flatten(index, strides, offset), node.meta.dtype);
  }

  private compute(node: OpNode, index: readonly Index[], depth: number): Expr {
    const { op, inputs, attributes, meta } = node;
    const [first, second] = inputs;
    switch (op.kind) {
      case 'elementwise':
        return this.elementwise(op, node, index, depth);
      case 'move': {
        const x = invariant(isNode(first) && first, `${op.name} of a number`);
        if (!op.view && op.map) return this.read(x, op.map(index, x.meta.shape, attributes), depth);
        return this.value(x, viewed(op.view?.(contiguous(x.meta.shape), attributes), index, x.meta.shape), depth);
      }
      case 'reduce': {
        const x = invariant(isNode(first) && first, `${op.name} of a number`);
        const dims = attributes['dims'] as readonly number[];
        const axes = dims.map((d, i) => axis(`r${depth + i}`, x.meta.shape[d] ?? 1));
        const kept = index.filter((_, d) => !attributes['keepdim'] || !dims.includes(d)).values();
        const inner = x.meta.shape.map((_, d) => {
          const i = dims.indexOf(d);
          return i < 0 ? (kept.next().value ?? constant(0)) : indexOf(axes[i]);
        });
        const type = arithmeticType(meta.dtype);
        const folded = this.reduced(combinerOf(op, meta.dtype), axes, () =>
          this.b.cast(this.value(x, inner, depth + dims.length), type),
        );
        return this.b.cast(folded, meta.dtype);
      }
      case 'scan': {
        const x = invariant(isNode(first) && first, `${op.name} of a number`);
        const dim = attributes['dim'] as number;
        const end = index[dim] ?? constant(0);
        const along = axis(`r${depth}`, x.meta.shape[dim] ?? 1);
        const at = fromAxis(along);
        const passed = condition([{ index: plus(end, times(at, -1)), lo: 0, hi: along.extent }]);
        const combiner = combinerOf(op, meta.dtype);
        const type = arithmeticType(meta.dtype);
        const folded = this.reduced(combiner, [along], () => {
          const inner = index.map((i, d) => (d === dim ? at : i));
          const value = this.b.cast(this.value(x, inner, depth + 1), type);
          return this.b.select(passed, value, this.b.literal(combiner.identity, type));
        });
        return this.b.cast(folded, meta.dtype);
      }
      case 'contract': {
        const nodes = inputs.filter(isNode);
        const shapes = nodes.map((x) => x.meta.shape);
        const axes = op.extents(shapes, attributes).map((size, i) => axis(`r${depth + i}`, size));
        const folded = axes.map(fromAxis);
        const sources = op.sources(index, folded, shapes, attributes);
        const type = arithmeticType(meta.dtype);
        const combiner = op.fold ? combinerOf(op.fold, meta.dtype) : sumCombiner();
        const total = this.reduced(combiner, axes, () => {
          const values = nodes.map((x, i) => {
            const source = invariant(sources[i], 'a source for each operand');
            return this.read(x, { otherwise: combiner.identity, ...source }, depth + axes.length);
          });
          if (op.term) {
            const places = op.term.places(index, folded, shapes, attributes).map((p) => this.b.position(p, 0, 1, 'int32'));
            const own = values.map((value) => this.b.cast(value, arithmeticType(value.type)));
            return this.b.call(op.term.element, [...places, ...own], type);
          }
          const factors = values.map((value) => this.b.cast(value, type));
          return factors.reduce((a, c) => this.b.call(product, [a, c], type));
        });
        return this.b.cast(total, meta.dtype);
      }
      case 'pick': {
        const x = invariant(isNode(first) && first, `${op.name} of a number`);
        const dim = attributes['dim'] as number;
        const size = x.meta.shape[dim] ?? 1;
        const where = invariant(second, 'places');
        const place = this.b.cast(this.value(where, op.places(index, dim), depth), 'int32');
        // One place more than there are stands for all that are not there.
        const as = axis(`g${place.id}`, size + 1);
        const inside = condition([{ index: fromAxis(as), lo: 0, hi: size }]);
        const otherwise = this.b.literal(isFloat(meta.dtype) ? NaN : 0, meta.dtype);
        if (inside === 'never') return otherwise;
        const value = this.value(
          x,
          index.map((i, d) => (d === dim ? fromAxis(as) : i)),
          depth,
        );
        return this.b.bind(as, place, this.b.select(inside, value, otherwise));
      }
      case 'segment':
        return this.segment(node, index, depth);
      case 'search': {
        const row = invariant(isNode(first) && first, `${op.name} in a number`);
        return this.searched(op.step(attributes), row, invariant(second, 'values'), index, depth);
      }
      case 'join':
        return this.joined(node, index, depth);
      case 'create': {
        const { start, step } = op.value(attributes);
        if (step === 0) return this.b.literal(start, meta.dtype);
        return this.b.position(flatten(index, contiguousStrides(meta.shape)), start, step, meta.dtype);
      }
      case 'random': {
        const place = this.b.position(flatten(index, contiguousStrides(meta.shape)), 0, 1, 'uint32');
        const numbers = inputs.map((x) => this.value(x, [], depth));
        return this.b.call(op.element, [place, ...numbers], meta.dtype);
      }
      case 'write': {
        const layout = writtenLayout(attributes);
        const { inside, index: at } = invariant(
          inverse(layout, flatten(index, contiguousStrides(meta.shape))),
          'writes have an inverse',
        );
        const base = () => this.value(invariant(first, 'a base'), index, depth);
        if (inside === 'never') return base();
        const value = this.b.cast(this.value(invariant(second, 'a value'), at, depth), meta.dtype);
        return this.b.select(inside, value, inside === undefined ? value : base());
      }
    }
  }

  private segment({ inputs, attributes, meta }: OpNode, index: readonly Index[], depth: number): Expr {
    const [source, places, starts] = inputs.map((x) => invariant(isNode(x) && x, 'a segment is of tensors'));
    const dim = attributes['dim'] as number;
    const at = (x: Node | undefined, along: Index): Expr => {
      const of = invariant(x, 'a segment has three operands');
      return this.value(
        of,
        index.map((i, d) => (d === dim ? along : of.meta.shape[d] === 1 ? constant(0) : i)),
        depth + 1,
      );
    };
    const own = index[dim] ?? constant(0);
    const [first, last] = [own, plus(own, constant(1))].map((i) => this.b.cast(at(starts, i), 'int32'));
    const over = axis(`r${depth}`, places?.meta.shape[dim] ?? 1);
    const place = this.b.cast(at(places, fromAxis(over)), 'int32');
    const as = axis(`g${place.id}`, source?.meta.shape[dim] ?? 1);
    const type = arithmeticType(meta.dtype);
    const body = this.b.bind(as, place, this.b.cast(at(source, fromAxis(as)), type));
    return this.b.cast(this.b.segment(over, first ?? place, last ?? place, body), meta.dtype);
  }

  private elementwise(op: ElementwiseSpec, node: OpNode, index: readonly Index[], depth: number): Expr {
    const type = op.computeType(node.inputs.map((input) => (isNode(input) ? input.meta : input)));
    const args = node.inputs.map((input, i) => {
      const value = this.value(input, isNode(input) ? broadcast(index, input.meta.shape) : [], depth);
      return this.b.cast(value, op.params[i] === op.condition ? 'bool' : type);
    });
    const { dtype } = node.meta;
    return this.b.cast(this.b.call(op, args, type === dtype ? dtype : arithmeticType(dtype)), dtype);
  }

  private read(x: Node, source: Source, depth: number): Expr {
    const otherwise = () => this.b.literal(source.otherwise ?? 0, x.meta.dtype);
    if (source.inside === 'never') return otherwise();
    const value = this.value(x, source.index, depth);
    return source.inside ? this.b.select(source.inside, value, otherwise()) : value;
  }

  private reduced(combiner: ReturnType<typeof sumCombiner>, axes: readonly Axis[], body: () => Expr): Expr {
    const value = body();
    if (axes.some((a) => a.extent === 0)) return this.b.literal(combiner.identity, value.type);
    const wide = axes.filter((a) => a.extent > 1);
    return wide.length === 0 ? value : this.b.reduce(combiner, wide, value);
  }

  /** A binary search, written out: each step looks at one element of the row, whose place depends on the steps before. */
  private searched(step: ElementwiseSpec, row: Node, values: NodeInput, index: readonly Index[], depth: number): Expr {
    const size = row.meta.shape.at(-1) ?? 1;
    const type = arithmeticType(row.meta.dtype);
    const wanted = this.b.cast(this.value(values, index, depth), type);
    const lead = row.meta.shape.length === 1 ? [] : index.slice(0, -1);
    const whole = (n: number) => this.b.literal(n, 'int32');
    let before = whole(0);
    for (let stride = size === 0 ? 0 : 2 ** Math.floor(Math.log2(size)); stride >= 1; stride /= 2) {
      const place = this.b.call(addition, [before, whole(stride - 1)], 'int32');
      // One place more than there are stands for all behind the row.
      const as = axis(`g${place.id}`, size + 1);
      const inside = condition([{ index: fromAxis(as), lo: 0, hi: size }]);
      const found = this.b.cast(this.value(row, [...lead, fromAxis(as)], depth), type);
      const next = this.b.call(step, [before, whole(stride), found, wanted], 'int32');
      before = this.b.bind(as, place, this.b.select(inside, next, before));
    }
    return before;
  }

  private joined(node: OpNode, index: readonly Index[], depth: number): Expr {
    const dim = node.attributes['dim'] as number;
    const along = invariant(index[dim], 'a joined dim');
    let end = node.meta.shape[dim] ?? 0;
    let rest: Expr | undefined;
    for (const part of node.inputs.filter(isNode).reverse()) {
      const size = part.meta.shape[dim] ?? 0;
      const start = end - size;
      const when = condition([{ index: along, lo: start, hi: end }]);
      end = start;
      if (size === 0 || when === 'never') continue;
      const value = this.value(
        part,
        index.map((i, d) => (d === dim ? plus(i, -start) : i)),
        depth,
      );
      rest = rest === undefined ? value : this.b.select(when, value, rest);
    }
    return invariant(rest, 'a join of something');
  }
}

const indexOf = (a: Axis | undefined): Index => (a ? fromAxis(a) : constant(0));

/** The operand's index for an index of the broadcast result. */
function broadcast(index: readonly Index[], shape: Shape): Index[] {
  const skip = index.length - shape.length;
  return shape.map((size, d) => (size === 1 ? constant(0) : (index[d + skip] ?? constant(0))));
}

/** The operand's index for an index of its view. */
function viewed(layout: Layout | undefined, index: readonly Index[], shape: Shape): Index[] {
  const { strides, offset } = invariant(layout, 'a row-major tensor has every view');
  return unflatten(flatten(index, strides, offset), shape);
}

/**
 * The index into a view for a flat position in what it views, and when there is one. Undefined when the view's dims are
 * not nested in each other, so that positions do not tell them apart.
 */
export function inverse(layout: Layout, flat: Index): { index: Index[]; inside: Source['inside'] } | undefined {
  if (numel(layout.shape) === 0) return { index: layout.shape.map(() => constant(0)), inside: 'never' };
  const dims = layout.shape.map((size, d) => ({ d, size, stride: layout.strides[d] ?? 0 })).filter(({ size }) => size > 1);
  dims.sort((a, b) => b.stride - a.stride);
  let reach = 0;
  for (const { size, stride } of [...dims].reverse()) {
    if (stride <= reach) return undefined;
    reach += (size - 1) * stride;
  }
  const index = layout.shape.map(() => constant(0));
  const tests: { index: Index; lo: number; hi: number }[] = [];
  let rest = plus(flat, -layout.offset);
  for (const { d, size, stride } of dims) {
    const place = divide(rest, stride);
    index[d] = place;
    tests.push({ index: place, lo: 0, hi: size });
    rest = modulo(rest, stride);
  }
  tests.push({ index: rest, lo: 0, hi: 1 });
  return { index, inside: condition(tests) };
}
