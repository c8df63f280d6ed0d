/**
 * @file Calls that take more than one kernel. In: an eager call. Out: whether it was one that has to be done in steps, each a call
 * of its own: a join of more operands than a kernel binds, a result that overlaps an operand, a fold that is long and has few
 * positions to share it.
 */
import { conversions } from '../ops/convert.ts';
import { foldInParts, lastDims, partsOfFold } from '../ops/fold-parts.ts';
import type { Attributes, OpSpec } from '../ops/spec.ts';
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
  else return by.inParts && op.kind === 'reduce' && folded(by, op, inputs, attributes, out);
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

function folded(
  by: Stepping,
  op: Extract<OpSpec, { kind: 'reduce' }>,
  inputs: readonly Operand[],
  { dims, keepdim }: Attributes,
  out: Tensor,
): boolean {
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
