/**
 * @file How one op is written down. Each form below takes an entry and gives the op as users call it, carrying its `spec`;
 * everything else that knows ops is derived from that. Annotate each constant with its arity class (`Unary`, `Binary`…):
 * then its type does not depend on the bodies inside, and `grad` can be written with the derived methods.
 */
import { JitLensError } from '../errors.ts';
import type { Operand } from '../tensor/backend.ts';
import type { DType } from '../tensor/dtype.ts';
import { arithmeticType, isFloat, resultType } from '../tensor/dtype.ts';
import { broadcastShapes, formatShape, normalizeDim, normalizeDims, numel, type Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { activeTape } from './tape.ts';
import {
  shapeOf,
  type Attributes,
  type ContractSpec,
  type ElementwiseSpec,
  type Meta,
  type MoveSpec,
  type OperandMeta,
} from './spec.ts';
import type { OpSpec, ReduceSpec, ScanSpec, Tolerance } from './spec.ts';

/** The gradients of the tensor arguments, in order; before broadcasting is undone, which the tape does. */
export type Gradient<A extends readonly unknown[]> = (g: Tensor, out: Tensor, ...args: A) => readonly (Tensor | undefined)[];

export interface Entry<A extends readonly unknown[]> {
  readonly name: string;
  /** Absent for an op that is only a way of writing others. */
  readonly spec?: OpSpec;
  /** Operands of the kernel from a user's arguments, for an op that fills in numbers which were left out. */
  readonly operands?: (...args: A) => readonly Operand[];
  readonly grad?: Gradient<A>;
  readonly samples: readonly string[];
  readonly tolerance: Tolerance;
  /** The interval that sample values are drawn from. */
  readonly domain: readonly [number, number];
}

/** An op as a user calls it. `A` are its arguments, the receiver first. */
export interface Op<A extends readonly unknown[], R = Tensor> {
  (...args: A): R;
  readonly entry: Entry<A>;
}

export type Unary = Op<[x: Tensor]>;
export type Binary = Op<[a: Tensor, b: Tensor | number]>;
export type Ternary = Op<[condition: Tensor, a: Tensor | number, b: Tensor | number]>;
export interface ReduceOptions {
  /** Dims to fold; all of them when it is left out. Negative dims count from the end. */
  readonly dim?: number | readonly number[];
  /** Keeps the folded dims, with size 1. */
  readonly keepdim?: boolean;
}

/** The dims that options name. A dim where options belong would be passed over. */
export function foldedDims({ rank }: Tensor, op: string, options?: ReduceOptions): number[] {
  const given: unknown = options ?? {};
  if (typeof given === 'object' && !Array.isArray(given)) return normalizeDims(options?.dim, rank, op);
  throw new JitLensError('JLT-DIM', `${op}: ${JSON.stringify(given)} is not an object of options`, `Write ${op}({ dim: … }).`);
}

export type Reduce = Op<[x: Tensor, options?: ReduceOptions]>;

interface Common<A extends readonly unknown[]> {
  readonly name: string;
  readonly grad?: Gradient<A>;
  readonly onnx?: string;
  readonly samples?: readonly string[];
  readonly tolerance?: Partial<Tolerance>;
  readonly domain?: readonly [number, number];
}

const DEFAULT_TOLERANCE: Tolerance = { relative: 1e-5, absolute: 1e-6 };
const DEFAULT_DOMAIN: readonly [number, number] = [-2, 2];
const UNARY_SAMPLES = ['f32[]', 'f32[0]', 'f32[1]', 'f32[3,5]', 'f32[65,33]'];
const BINARY_SAMPLES = [
  'f32[] f32[]',
  'f32[0] f32[]',
  'f32[3,5] f32[5]',
  'f32[4,1] f32[3]',
  'f32[33,7] 1.5',
  'i32[6] i32[]',
  'i32[5] 2',
];
const TERNARY_SAMPLES = ['bool[3,5] f32[3,5] f32[5]', 'bool[4,1] f32[3] 0', 'bool[6] i32[6] i32[]', 'bool[] f32[] f32[]'];

function common<A extends readonly unknown[]>(entry: Common<A>, samples: readonly string[]) {
  return {
    name: entry.name,
    onnx: entry.onnx,
    samples: entry.samples ?? samples,
    tolerance: { ...DEFAULT_TOLERANCE, ...entry.tolerance },
    domain: entry.domain ?? DEFAULT_DOMAIN,
  };
}

/** Makes the op: `call` turns a user's arguments into operands and attributes. */
export function op<A extends readonly unknown[], R = Tensor>(entry: Entry<A>, call: (...args: A) => R): Op<A, R> {
  const heard = (...args: A): R => {
    const result = call(...args);
    if (entry.spec) activeTape()?.record(entry as unknown as Entry<never[]>, args, result);
    return result;
  };
  return Object.assign(heard, { entry });
}

/**
 * Which dtype a result has. All operands promote; then `float` makes integers float32, `same` counts truth values as
 * int32, `signed` does that with uint32 too, `kept` changes nothing. `bool` tests for truth.
 */
export type Compute = 'float' | 'same' | 'signed' | 'kept' | 'bool';

interface ElementwiseForm<A extends readonly unknown[]> extends Common<A> {
  readonly reference: (...values: number[]) => number;
  readonly whole?: (...values: number[]) => number;
  readonly wgsl: string;
  readonly prelude?: readonly string[];
  readonly condition?: string;
  readonly linear?: readonly string[];
  readonly jumps?: boolean;
  readonly compute?: Compute;
  /** When given, the result's dtype; else the one it was computed in. */
  readonly result?: DType;
  /** Operations for one element. */
  readonly flops?: number;
}

function typeOf(compute: Compute, inputs: readonly OperandMeta[]): DType {
  if (compute === 'bool') return 'bool';
  const type = resultType(inputs);
  if (type === undefined || (compute === 'float' && !isFloat(type))) return 'float32';
  const counted = type === 'bool' || (type === 'uint32' && compute === 'signed');
  return counted && compute !== 'kept' ? 'int32' : type;
}

export function elementwiseSpec<A extends readonly unknown[]>(
  params: readonly string[],
  form: ElementwiseForm<A>,
): ElementwiseSpec {
  const compute = form.compute ?? 'same';
  const typed = (inputs: readonly OperandMeta[]) => inputs.filter((_, i) => params[i] !== form.condition);
  const shapes = (inputs: readonly OperandMeta[]) => broadcastShapes(inputs.map(shapeOf), form.name);
  return {
    ...common(form, []),
    kind: 'elementwise',
    params,
    wgsl: form.wgsl,
    prelude: form.prelude,
    condition: form.condition,
    linear: form.linear,
    jumps: form.jumps,
    reference: form.reference,
    whole: form.whole,
    computeType: (inputs) => arithmeticType(typeOf(compute, typed(inputs))),
    infer: (inputs) => ({ shape: shapes(inputs), dtype: form.result ?? typeOf(compute, typed(inputs)) }),
    flops: (_inputs, _attributes, out) => numel(out.shape) * (form.flops ?? 1),
  };
}

/** f(x), element by element. The WGSL is over `x`. */
export function unary(form: ElementwiseForm<[x: Tensor]>): Unary {
  const spec = elementwiseSpec(['x'], form);
  return op({ ...common(form, UNARY_SAMPLES), spec, grad: form.grad }, (x) => apply(spec, [x]));
}

/** f(a, b), element by element with broadcasting; `b` may be a number. The WGSL is over `a` and `b`. */
export function binary(form: ElementwiseForm<[a: Tensor, b: Tensor | number]>): Binary {
  const spec = elementwiseSpec(['a', 'b'], form);
  return op({ ...common(form, BINARY_SAMPLES), spec, grad: form.grad }, (a, b) => apply(spec, [a, b]));
}

/** f(c, a, b), element by element with broadcasting; `a` and `b` may be numbers. The WGSL is over `c`, `a` and `b`. */
export function ternary(form: ElementwiseForm<[condition: Tensor, a: Tensor | number, b: Tensor | number]>): Ternary {
  const spec = elementwiseSpec(['c', 'a', 'b'], form);
  return op({ ...common(form, TERNARY_SAMPLES), spec, grad: form.grad }, (c, a, b) => apply(spec, [c, a, b]));
}

interface ParametricForm<A extends readonly [Tensor, ...unknown[]]> extends ElementwiseForm<A> {
  /** Names of the operands in the WGSL, one letter each. */
  readonly params: readonly string[];
  /** The operands from a user's arguments: the place to fill in what was left out. */
  readonly operands: (...args: A) => readonly Operand[];
}

/** f(x, a, …), element by element with broadcasting. Numbers are parameters of the kernel: other values share it. */
export function parametric<A extends readonly [Tensor, ...unknown[]]>(form: ParametricForm<A>): Op<A> {
  const spec = elementwiseSpec(form.params, form);
  const { operands, grad } = form;
  return op({ ...common(form, UNARY_SAMPLES), spec, operands, grad }, (...args) => apply(spec, operands(...args)));
}

/** The same op, written into its first operand, which it returns. */
export function inPlace<A extends readonly [Tensor, ...unknown[]]>(base: Op<A>): Op<A> {
  const { spec, ...entry } = base.entry;
  if (!spec) throw new JitLensError('JL-BUG', `${entry.name} has no kernel to run in place`);
  const name = `${spec.name}_`;
  const written: OpSpec = { ...spec, name, inPlace: spec };
  const { operands = (...args: A) => args as readonly unknown[] as readonly Operand[] } = entry;
  return op({ ...entry, name, spec: written, samples: [] }, (...args) => apply(written, operands(...args)));
}

interface ReduceForm extends Common<[x: Tensor, options?: ReduceOptions]> {
  readonly combine: string;
  readonly prelude?: readonly string[];
  readonly identity: number | ((dtype: DType) => number);
  /** Refuses to fold no elements, for which there is no result. */
  readonly nonEmpty?: boolean;
  readonly reference: (values: Iterable<number>) => number;
}

const REDUCE_SAMPLES = [
  'f32[]',
  'f32[7]',
  'f32[5,7] {"dim":1}',
  'f32[5,7] {"dim":0,"keepdim":true}',
  'f32[3,4,5] {"dim":[0,2]}',
  'f32[2,1000] {"dim":-1}',
  'f32[70,65]',
  'i32[6,3] {"dim":0}',
];

/** Folds dims with an associative, commutative combination, whose WGSL is over `a` and `b`. */
export function reduce(form: ReduceForm): Reduce {
  const identity = form.identity;
  const spec: ReduceSpec = {
    ...common(form, []),
    kind: 'reduce',
    combine: form.combine,
    prelude: form.prelude,
    reference: form.reference,
    identity: typeof identity === 'number' ? () => identity : identity,
    infer: ([x], attributes) => reduceMeta(x, attributes),
    flops: ([x]) => numel(shapeOf(x ?? 0)),
  };
  return op({ ...common(form, REDUCE_SAMPLES), spec, grad: form.grad }, (x, options) => {
    const dims = foldedDims(x, form.name, options);
    if (form.nonEmpty && dims.some((d) => x.shape[d] === 0)) {
      throw new JitLensError(
        'JLT-EMPTY',
        `${form.name}: no elements to choose from in a tensor of shape ${formatShape(x.shape)}`,
        'Fold a dim that has elements.',
      );
    }
    return apply(spec, [x], { dims, keepdim: options?.keepdim ?? false });
  });
}

interface ScanForm extends Common<[x: Tensor, dim: number]> {
  readonly combine: string;
  readonly identity: number;
  readonly reference: (a: number, b: number) => number;
}

const SCAN_SAMPLES = ['f32[7] 0', 'f32[3,70] 1', 'f32[3,4,5] -2', 'i32[6,3] 0', 'f32[] 0'];

/**
 * At each place of a dim, the elements up to it combined in order. A kernel goes along a long dim, and has the fold so far; up
 * to a few elements each place folds for itself, and a scan is one more value that a kernel computes where it is used.
 */
export function scan(form: ScanForm): Op<[x: Tensor, dim: number]> {
  const spec: ScanSpec = {
    ...common(form, []),
    kind: 'scan',
    combine: form.combine,
    reference: form.reference,
    identity: () => form.identity,
    infer: ([x]) => reduceMeta(x, { dims: [], keepdim: false }),
    flops: ([x]) => numel(shapeOf(x ?? 0)),
  };
  return op({ ...common(form, SCAN_SAMPLES), spec, grad: form.grad }, (x, dim) =>
    apply(spec, [x], { dim: normalizeDim(dim, x.rank, form.name) }),
  );
}

function reduceMeta(x: OperandMeta | undefined, attributes: Attributes): Meta {
  const shape = shapeOf(x ?? 0);
  const dims = attributes['dims'] as readonly number[];
  const dtype = typeof x === 'object' ? x.dtype : 'float32';
  return {
    shape: attributes['keepdim']
      ? shape.map((size, d) => (dims.includes(d) ? 1 : size))
      : shape.filter((_, d) => !dims.includes(d)),
    dtype: dtype === 'bool' ? 'int32' : dtype,
  };
}

interface MoveForm<A extends readonly unknown[]> extends Common<A> {
  readonly shape: (input: Shape, attributes: Attributes) => Shape;
  readonly view?: MoveSpec['view'];
  readonly map?: MoveSpec['map'];
  /** The user's arguments, checked, as attributes. */
  readonly attributes: (...args: A) => Attributes;
}

/** The same elements elsewhere. Give `view` when strides can say it, `map` (output index → input index) when they cannot. */
export function move<A extends readonly [Tensor, ...unknown[]]>(form: MoveForm<A>): Op<A> {
  const spec: MoveSpec = {
    ...common(form, []),
    kind: 'move',
    view: form.view,
    map: form.map,
    infer: ([x], attributes) => ({
      shape: form.shape(shapeOf(x ?? 0), attributes),
      dtype: typeof x === 'object' ? x.dtype : 'float32',
    }),
    flops: () => 0,
  };
  return op({ ...common(form, []), spec, grad: form.grad }, (...args) => apply(spec, [args[0]], form.attributes(...args)));
}

interface ContractForm<A extends readonly unknown[]> extends Common<A> {
  readonly shape: (inputs: readonly Shape[], attributes: Attributes) => Shape;
  readonly extents: ContractSpec['extents'];
  readonly sources: ContractSpec['sources'];
  readonly reference: ContractSpec['reference'];
  readonly term?: ContractSpec['term'];
  readonly fold?: ContractSpec['fold'];
  /** When given, the result's dtype; else the one that the operands are multiplied in. */
  readonly result?: DType;
}

/** A sum of products: what is summed over, and where each operand is read for an output index and a summed index. */
export function contractSpec<A extends readonly unknown[]>(form: ContractForm<A>): ContractSpec {
  return {
    ...common(form, []),
    kind: 'contract',
    extents: form.extents,
    sources: form.sources,
    reference: form.reference,
    term: form.term,
    fold: form.fold,
    infer: (inputs, attributes) => ({
      shape: form.shape(inputs.map(shapeOf), attributes),
      dtype: form.result ?? typeOf('same', inputs),
    }),
    flops: (inputs, attributes, out) => 2 * numel(out.shape) * numel(form.extents(inputs.map(shapeOf), attributes)),
  };
}

interface CompositeForm<A extends readonly unknown[], R> extends Common<A> {
  /** The op in terms of other ops; kernels, gradients and costs follow from theirs. */
  readonly expand: (...args: A) => R;
}

/** An op that is only a way of writing others. */
export function composite<A extends readonly unknown[], R = Tensor>(form: CompositeForm<A, R>): Op<A, R> {
  return op({ ...common(form, []) }, form.expand);
}

/** An op whose method has several signatures `M`, which the arguments of `O` only sum up. */
export type Overloaded<O, M> = O & { readonly signatures: M };

/** Says that the method has the signatures of the result's type; nothing happens at run time. */
export function overloaded<O extends object, M>(op: O): Overloaded<O, M> {
  return Object.assign(op, { signatures: {} as M });
}
