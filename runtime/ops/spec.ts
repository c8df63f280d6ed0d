/**
 * @file What an op is, once it is written down: the record from which eager dispatch, tracing, fusion, kernels, the
 * reference device and the tests are derived. The forms that a family fills in are in define.ts.
 */
import type { Condition, Index } from '../tensor/affine.ts';
import { isWhole, type DType } from '../tensor/dtype.ts';
import type { Layout } from '../tensor/layout.ts';
import type { Shape } from '../tensor/shape.ts';

export type AttributeValue = number | string | boolean | readonly number[];
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface Meta {
  readonly shape: Shape;
  readonly dtype: DType;
}
/** A tensor's description, or a number written in its place. */
export type OperandMeta = Meta | number;

/** Where a value is read: at `index` of the operand, or `otherwise` where `inside` does not hold. */
export interface Source {
  readonly index: readonly Index[];
  readonly inside?: Condition | 'never';
  /** What is read elsewhere: 0 where it does not say, or what changes no fold. */
  readonly otherwise?: number;
}

export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

interface CommonSpec {
  readonly name: string;
  /** The written input, for an op that changes its first input instead of making a tensor. */
  readonly inPlace?: OpSpec;
  infer(inputs: readonly OperandMeta[], attributes: Attributes): Meta;
  /** Floating-point operations for one call; bytes follow from the operands. */
  flops(inputs: readonly OperandMeta[], attributes: Attributes, out: Meta): number;
  /** Calls for the systematic tests: shapes of the operands, then attributes as the op's arguments take them. */
  readonly samples: readonly string[];
  readonly tolerance: Tolerance;
  readonly onnx?: string;
}

/** One element out for one element of each (broadcast) operand. */
export interface ElementwiseSpec extends CommonSpec {
  readonly kind: 'elementwise';
  readonly params: readonly string[];
  /** WGSL over the params, each named once: a value stands there in full. Operands arrive in `computeType`. `_T_` stands for their WGSL type. */
  readonly wgsl: string;
  /** WGSL functions that `wgsl` calls, one a string; functions that ops share are written once. */
  readonly prelude?: readonly string[];
  /** The param that is a truth value, whatever the others are. */
  readonly condition?: string;
  /** Those of the params in which it is linear: with one of them a times as large, so is the result. */
  readonly linear?: readonly string[];
  /** Whether numbers next to each other may give results that are far apart, both numbers. */
  readonly jumps?: boolean;
  readonly reference: (...values: number[]) => number;
  /** The same for whole numbers, up to what wraps around, where a double would lose digits. */
  readonly whole?: (...values: number[]) => number;
  /** The dtype operands are converted to before the op, given the one the op's result has. */
  computeType(inputs: readonly OperandMeta[]): DType;
}

/** What the op makes of numbers of the type that it computes in. */
export function referenceIn({ reference, whole = reference }: ElementwiseSpec, type: DType): (...values: number[]) => number {
  return isWhole(type) ? whole : reference;
}

/** Folds dims away with an associative, commutative combination. */
export interface ReduceSpec extends CommonSpec {
  readonly kind: 'reduce';
  /** WGSL over `a` and `b`; `_T_` stands for their WGSL type. */
  readonly combine: string;
  /** WGSL functions that `combine` calls. */
  readonly prelude?: readonly string[];
  identity(dtype: DType): number;
  readonly reference: (values: Iterable<number>) => number;
}

/** At each place of `dim`, the elements up to it combined in order. */
export interface ScanSpec extends CommonSpec {
  readonly kind: 'scan';
  /** WGSL over `a` and `b`. */
  readonly combine: string;
  readonly prelude?: readonly string[];
  identity(dtype: DType): number;
  readonly reference: (a: number, b: number) => number;
}

/** The same elements elsewhere: a view where `view` is given, else a copy through `map`. */
export interface MoveSpec extends CommonSpec {
  readonly kind: 'move';
  /** The layout of the result over the operand's storage; undefined when it cannot be a view. */
  view?(input: Layout, attributes: Attributes): Layout | undefined;
  map?(out: readonly Index[], input: Shape, attributes: Attributes): Source;
}

/**
 * Elements of the first operand whose place along `dim` the second operand says. A place that is not there gives NaN, or 0
 * where the dtype has no NaN: a device cannot refuse.
 */
export interface PickSpec extends CommonSpec {
  readonly kind: 'pick';
  /** Where the second operand is read for an element of the result. */
  places(out: readonly Index[], dim: number): readonly Index[];
}

/**
 * How many elements of a sorted row (the last dim of the first operand) come before each element of the second. Rows are
 * told apart by the dims before, or there is one row for all.
 */
export interface SearchSpec extends CommonSpec {
  readonly kind: 'search';
  /** Over `l`, `s`, `x` and `v`: l, and s more where the row's x comes before v. */
  step(attributes: Attributes): ElementwiseSpec;
}

/**
 * For each place of `dim` the sum of the elements of the first operand that are listed for it: the second operand holds their places
 * along `dim`, list after list, and the third where each list begins, with the end of the last one. Both have the first operand's
 * dims, of its size or 1.
 */
export interface SegmentSpec extends CommonSpec {
  readonly kind: 'segment';
}

/** What a contraction folds, when that is not a product: a function of places and of the operands read there. */
export interface Term {
  /** Over the places, as int32, and then the operands, each in its own dtype; `_T_` is the last operand's type. */
  readonly element: ElementwiseSpec;
  places(out: readonly Index[], folded: readonly Index[], inputs: readonly Shape[], attributes: Attributes): readonly Index[];
}

/** A sum over `extents` of the product of its operands, each read through an index map; or a `fold` of another `term`. */
export interface ContractSpec extends CommonSpec {
  readonly kind: 'contract';
  readonly term?: Term;
  readonly fold?: ReduceSpec;
  extents(inputs: readonly Shape[], attributes: Attributes): readonly number[];
  sources(out: readonly Index[], summed: readonly Index[], inputs: readonly Shape[], attributes: Attributes): readonly Source[];
  reference(inputs: readonly HostView[], attributes: Attributes, out: Meta): Float64Array;
}

/** Operands laid end to end along one dim. */
export interface JoinSpec extends CommonSpec {
  readonly kind: 'join';
}

/** A tensor from attributes alone. */
export interface CreateSpec extends CommonSpec {
  readonly kind: 'create';
  /** The value at a position: start + step · flat position. */
  value(attributes: Attributes): { start: number; step: number };
}

/** Each element from its place in the tensor and the operands, which are one number each: the generator's seed and its draws. */
export interface RandomSpec extends CommonSpec {
  readonly kind: 'random';
  /** Over the place `i`, the seed `k` and the number `n` of tensors drawn before, all uint32. */
  readonly element: ElementwiseSpec;
}

/** The first operand, with the second in place of the elements that the attributes' layout reaches. Only in graphs. */
export interface WriteSpec extends CommonSpec {
  readonly kind: 'write';
}

export type OpSpec =
  | ElementwiseSpec
  | ReduceSpec
  | ScanSpec
  | MoveSpec
  | PickSpec
  | SearchSpec
  | SegmentSpec
  | ContractSpec
  | JoinSpec
  | CreateSpec
  | RandomSpec
  | WriteSpec;

/** A tensor on the reference device: row-major float64. */
export interface HostView {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export function shapeOf(operand: OperandMeta): Shape {
  return typeof operand === 'number' ? [] : operand.shape;
}

/** What most ops have. */
export const NO_ATTRIBUTES: Attributes = {};

/** Attributes as a person writes them: `dim=1 keepdim`. */
export function formatAttributes(attributes: Attributes): string {
  if (attributes === NO_ATTRIBUTES) return '';
  return Object.entries(attributes)
    .filter(([, value]) => value !== false)
    .map(([name, value]) => (value === true ? name : `${name}=${Array.isArray(value) ? `[${value.join(', ')}]` : String(value)}`))
    .join(' ');
}

/** The same without its numbers, of which some are sizes. */
export function formOfAttributes(attributes: Attributes): string {
  const form = (x: AttributeValue) => (Array.isArray(x) ? `[${x.length}]` : typeof x === 'number' ? '#' : String(x));
  return Object.entries(attributes)
    .map(([name, x]) => `${name}:${form(x)}`)
    .join();
}
