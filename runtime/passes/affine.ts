/**
 * @file Ops that are affine in one operand, the others being constant. In: such an op, and that operand as a sum of products plus
 * a constant. Out: its result in the same form, if a constant factor of the products can take what the op does to them. Each step
 * is the op itself, done to the factor and to the summand.
 */
import { invariant } from '../errors.ts';
import { isNode, type GraphBuilder, type Node, type NodeInput, type OpNode } from '../ir/graph.ts';
import { add, mul } from '../ops/binary.ts';
import type { Binary, Unary } from '../ops/define.ts';
import { NO_ATTRIBUTES, type ElementwiseSpec } from '../ops/spec.ts';
import { neg } from '../ops/unary.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { axis, fromAxis } from '../tensor/affine.ts';
import type { Shape } from '../tensor/shape.ts';
import { constantOf } from './fold.ts';
import { isContraction, type Contraction } from './products.ts';
import { viewOf } from './views.ts';

/** A sum of products, plus a constant. */
export interface Shifted {
  readonly product: Contraction;
  readonly shift?: NodeInput;
}

/** An op that is linear in operand `of`, or what is added. */
type Step =
  { readonly op: ElementwiseSpec; readonly inputs: readonly NodeInput[]; readonly of: number } | { readonly shift: NodeInput };

const specOf = ({ entry: { spec } }: Binary | Unary): ElementwiseSpec =>
  invariant(spec?.kind === 'elementwise' && spec, 'an op of single elements');

/** Rewrites one op; what it builds of constants is constant too. */
export class Affine {
  /** Of the operand. */
  private shape: Shape = [];

  constructor(
    private readonly node: OpNode,
    private readonly constants: Set<Node>,
    private readonly build: GraphBuilder,
  ) {}

  /** What the op makes of its operand `of`; undefined where that is not of the form. */
  after(was: Shifted, of: number): Shifted | undefined {
    const { inputs, meta } = this.node;
    const isKnown = inputs.every((x, i) => i === of || !isNode(x) || this.constants.has(x));
    if (!isKnown || meta.dtype !== was.product.meta.dtype) return undefined;
    const operand = inputs[of];
    this.shape = isNode(operand) ? operand.meta.shape : [];
    let is: Shifted | undefined = was;
    for (const step of this.steps(of)) is = is && this.done(step, is);
    return is === was ? undefined : is;
  }

  /** The form as a value. */
  sum({ product, shift }: Shifted): OpNode {
    return shift === undefined ? product : this.build.op(specOf(add), [product, shift], NO_ATTRIBUTES, this.node);
  }

  /** None where the op is not affine in the operand. */
  private steps(of: number): readonly Step[] {
    const { op, inputs } = this.node;
    const [x = 0, a = 0, b = 0, value = 1] = inputs;
    if (op.kind !== 'elementwise') return [];
    if (op.linear?.includes(op.params[of] ?? '')) return [{ op, inputs, of }];
    const scale = (by: NodeInput): Step => ({ op: specOf(mul), inputs: [0, by], of: 0 });
    if (op.name === 'add') return [{ shift: of === 0 ? a : x }];
    if (op.name === 'sub' && of === 0) return [{ shift: this.constant(specOf(neg), [a]) }];
    if (op.name === 'sub') return [{ op: specOf(neg), inputs: [0], of: 0 }, { shift: x }];
    if (op.name !== 'addcmul' || of > 2) return [];
    const factors = [a, b, value].filter((f, i) => i + 1 !== of && f !== 1);
    if (of > 0) return [...factors.map(scale), { shift: x }];
    return [{ shift: factors.reduce((p, f) => this.constant(specOf(mul), [p, f])) }];
  }

  /** Whether what comes of it has the operand's shape. */
  private isNoLarger(x: NodeInput): boolean {
    const sizes = isNode(x) ? x.meta.shape : [];
    const skipped = this.shape.length - sizes.length;
    return skipped >= 0 && sizes.every((size, d) => size === 1 || size === this.shape[d + skipped]);
  }

  private done(step: Step, { product, shift }: Shifted): Shifted | undefined {
    if ('shift' in step)
      return { product, shift: shift === undefined ? step.shift : this.constant(specOf(add), [shift, step.shift]) };
    const { op, inputs, of } = step;
    const scaled = this.scaled(product, step);
    const moved = shift === undefined ? undefined : this.constant(op, inputs.with(of, shift));
    return scaled && { product: scaled, shift: moved };
  }

  /** The products with the op done to a constant factor, which has to vary wherever the op's other operands do. */
  private scaled(product: Contraction, { op, inputs, of }: Exclude<Step, { shift: NodeInput }>): Contraction | undefined {
    const factors = product.inputs.filter(isNode);
    const shapes = factors.map((f) => f.meta.shape);
    const out = product.meta.shape.map((size, d) => fromAxis(axis(`o${d}`, size)));
    const summed = product.op.extents(shapes, product.attributes).map((size, d) => fromAxis(axis(`s${d}`, size)));
    const sources = product.op.sources(out, summed, shapes, product.attributes);
    for (const [i, factor] of factors.entries()) {
      const source = sources[i];
      if (!this.constants.has(factor) || factor.meta.dtype !== product.meta.dtype || !source) continue;
      // What stands for elements outside of it would have to be scaled too.
      if (source.otherwise) continue;
      const places = out.map((o) => source.index.findIndex((index) => index.key === o.key));
      const along = inputs.map((x, k) => (k === of ? factor : this.isNoLarger(x) ? this.along(x, places, factor) : undefined));
      if (!along.every((x) => x !== undefined)) continue;
      const scaled = this.constant(op, along);
      const inputsNow = product.inputs.map((x) => (x === factor ? scaled : x));
      const now = this.build.op(product.op, inputsNow, product.attributes, product);
      return isContraction(now) ? now : undefined;
    }
    return undefined;
  }

  /** A constant over the products, laid along the factor's dims; undefined where it varies along none of these. */
  private along(x: NodeInput, places: readonly number[], { meta }: Node): NodeInput | undefined {
    const number = constantOf(x);
    if (number !== undefined || !isNode(x)) return number;
    const { base, layout } = viewOf(x);
    const shape = meta.shape.map(() => 1);
    const strides = meta.shape.map(() => 0);
    const skipped = places.length - layout.shape.length;
    for (const [d, size] of layout.shape.entries()) {
      const stride = layout.strides[d] ?? 0;
      if (size === 1 || stride === 0) continue;
      const place = places[d + skipped] ?? -1;
      if (meta.shape[place] !== size) return undefined;
      shape[place] = size;
      strides[place] = stride;
    }
    const laid = this.build.op(stridedSpec, [base], layoutAttributes({ shape, strides, offset: layout.offset }), this.node);
    this.constants.add(laid);
    return laid;
  }

  private constant(op: ElementwiseSpec, inputs: readonly NodeInput[]): NodeInput {
    if (inputs.every((x) => typeof x === 'number')) return op.reference(...inputs);
    const node = this.build.op(op, inputs, NO_ATTRIBUTES, this.node);
    this.constants.add(node);
    return node;
  }
}
