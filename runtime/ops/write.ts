/**
 * @file Ops that JitLens puts into graphs itself: a pure form of writing into a view, and tensors made from attributes.
 */
import { JitLensError, invariant } from '../errors.ts';
import { flatten, unflatten } from '../tensor/affine.ts';
import { isContiguous, type Layout } from '../tensor/layout.ts';
import { numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { move, op, type Op } from './define.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Attributes, CreateSpec, OpSpec, WriteSpec } from './spec.ts';

const EXACT = { relative: 0, absolute: 0 };

/** The layout that a `write` node's attributes name, over the row-major elements of its first operand. */
export function writtenLayout(attributes: Attributes): Layout {
  return {
    shape: attributes['shape'] as readonly number[],
    strides: attributes['strides'] as readonly number[],
    offset: attributes['offset'] as number,
  };
}

export const writeSpec: WriteSpec = {
  kind: 'write',
  name: 'write',
  samples: [],
  tolerance: EXACT,
  flops: () => 0,
  infer([base]) {
    if (typeof base !== 'object') throw new JitLensError('JL-BUG', 'write into a number');
    return base;
  },
};

/** The attributes of a `write` or `strided` node. */
export const layoutAttributes = ({ shape, strides, offset }: Layout): Attributes => ({ shape, strides, offset });
const zeros = (shape: Shape, dtype: DType): Tensor => apply(fullSpec, [], { shape, value: 0, dtype });
const internal = { samples: [], tolerance: EXACT, domain: [-1, 1] as const };

/** `base` with `value` at the places that `layout`, over its row-major elements, reaches. */
export const write: Op<[base: Tensor, value: Tensor, layout: Layout]> = op(
  {
    ...internal,
    name: 'write',
    spec: writeSpec,
    grad: (g, _out, _base, value, layout) => [write(g, zeros(layout.shape, value.dtype), layout), strided(g, layout)],
  },
  (base, value, layout) => apply(writeSpec, [base, value], layoutAttributes(layout)),
);

/** The elements at the places that `layout`, over the row-major elements of `x`, reaches. */
export const strided: Op<[x: Tensor, layout: Layout]> = move({
  name: 'strided',
  attributes: (_x, layout) => layoutAttributes(layout),
  shape: (_x, attributes) => attributes['shape'] as Shape,
  view: (input, attributes) => {
    const layout = writtenLayout(attributes);
    return isContiguous(input) ? { ...layout, offset: layout.offset + input.offset } : undefined;
  },
  // The places are over row-major elements, which other layouts have elsewhere.
  map: (out, input, attributes) => {
    const { strides, offset } = writtenLayout(attributes);
    return { index: unflatten(flatten(out, strides, offset), input) };
  },
  grad: (g, _out, x, layout) => [writeInto(x, layout, g)],
});
export const stridedSpec: OpSpec = invariant(strided.entry.spec, 'a view has a kernel');

/** Zeros like `x`, with `value` at the places that `layout` reaches. */
export function writeInto(x: Tensor, layout: Layout, value: Tensor): Tensor {
  return write(zeros(x.shape, x.dtype), value, layout);
}

function createSpec(name: string, value: CreateSpec['value']): CreateSpec {
  return {
    kind: 'create',
    name,
    samples: [],
    tolerance: EXACT,
    value,
    infer: (_inputs, attributes) => ({ shape: attributes['shape'] as Shape, dtype: attributes['dtype'] as DType }),
    flops: (_inputs, _attributes, out) => numel(out.shape),
  };
}

/** One number everywhere. */
export const fullSpec: CreateSpec = createSpec('full', (attributes) => ({ start: attributes['value'] as number, step: 0 }));

/** start, start + step, … along the only dim. */
export const arangeSpec: CreateSpec = createSpec('arange', (attributes) => ({
  start: attributes['start'] as number,
  step: attributes['step'] as number,
}));
