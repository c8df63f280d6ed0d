/**
 * @file Calls that take more than one kernel. In: an eager call. Out: whether it was one that has to be done in steps, each a call
 * of its own: a join of more operands than a kernel binds, a result that overlaps an operand, a fold that is long and has few
 * positions to share it.
 */
import { conversions } from '../ops/convert.ts';
import { foldInParts, lastDims, partsOfFold } from '../ops/fold-parts.ts';
import { partsOf } from '../ops/long-sums.ts';
import { isMade } from '../ops/many.ts';
import { inParts, lastOf } from '../ops/parts.ts';
import { shapeOf, type Attributes, type ContractSpec, type OpSpec, type ReduceSpec } from '../ops/spec.ts';
import type { Operand } from '../tensor/backend.ts';
import type { DType } from '../tensor/dtype.ts';
import { contiguous, sameLayout, sliced, type Layout } from '../tensor/layout.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Storage } from '../tensor/storage.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What carries out the steps. */
export interface Stepping {
  /** Tensors that a kernel can bind. */
  readonly most: number;
  /** Whether folds are done in parts. */
  readonly inParts: boolean;
  allocate(dtype: DType, shape: Shape): Storage;
  execute(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void;
}

/** False for a call that is one kernel. */
export function inSteps(by: Stepping, op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): boolean {
  if (op.kind === 'join' && inputs.length >= by.most) joinOneByOne(by, inputs, attributes, out);
  else if (inputs.some((x) => typeof x === 'object' && x.storage === out.storage && !sameLayout(x.layout, out.layout)))
    apart(by, out, (whole) => {
      by.execute(op, inputs, attributes, whole);
      by.execute(conversions[out.dtype], [whole], {}, out);
    });
  else if (!by.inParts) return false;
  else if (op.kind === 'reduce') return folded(by, op, inputs, attributes, out);
  else return op.kind === 'contract' && addedUp(by, op, inputs, attributes, out);
  return true;
}

/** More operands than a kernel can bind: each is copied to its place by itself. */
function joinOneByOne(by: Stepping, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
  const dim = attributes['dim'] as number;
  let start = 0;
  for (const x of inputs) {
    if (typeof x === 'number') continue;
    const size = x.shape[dim] ?? 0;
    by.execute(conversions[out.dtype], [x], {}, new Tensor(out.storage, sliced(out.layout, dim, start, size, 1)));
    start += size;
  }
}

function folded(by: Stepping, op: ReduceSpec, inputs: readonly Operand[], { dims, keepdim }: Attributes, out: Tensor): boolean {
  const [x] = inputs;
  const fold = typeof x === 'object' ? partsOfFold(x.shape, dims as readonly number[]) : undefined;
  if (!fold) return false;
  const spec = foldInParts(op);
  const { shape, dtype } = spec.infer(inputs, { ...fold });
  const to = keepdim ? without(out.layout, fold.dims) : out.layout;
  apart(by, { shape, dtype }, (parts) => {
    by.execute(spec, inputs, { ...fold }, parts);
    by.execute(op, [parts], { dims: lastDims(fold), keepdim: false }, new Tensor(out.storage, to));
  });
  return true;
}

function addedUp(by: Stepping, op: ContractSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): boolean {
  const shapes = inputs.map(shapeOf);
  const parts = isMade(op) ? undefined : partsOf(op, shapes, attributes, out);
  if (!parts) return false;
  const spec = inParts(op);
  const all = { ...attributes, ...parts };
  const { shape, dtype } = spec.infer(inputs, all);
  apart(by, { shape, dtype }, (sums) => {
    by.execute(spec, inputs, all, sums);
    by.execute(lastOf(op), [sums], { dims: [0], keepdim: false }, out);
  });
  return true;
}

/** Runs `body` with memory of its own of that form, which is given back after it. */
function apart(by: Stepping, { shape, dtype }: Pick<Tensor, 'shape' | 'dtype'>, body: (to: Tensor) => void): void {
  const to = new Tensor(by.allocate(dtype, shape), contiguous(shape));
  body(to);
  to.dispose();
}

function without({ shape, strides, offset }: Layout, dims: readonly number[]): Layout {
  const isKept = (_: number, d: number) => !dims.includes(d);
  return { shape: shape.filter(isKept), strides: strides.filter(isKept), offset };
}
