/**
 * @file Ops that JitLens puts into graphs itself: a pure form of writing into a view, and tensors made from attributes.
 */
import type { Layout } from '../tensor/layout.ts';
import { numel } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { JitLensError } from '../errors.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Attributes, CreateSpec, WriteSpec } from './spec.ts';

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

/** Zeros like `x`, with `value` at the places that `layout` reaches. */
export function writeInto(x: Tensor, layout: Layout, value: Tensor): Tensor {
  const zero = apply(fullSpec, [], { shape: x.shape, value: 0, dtype: x.dtype });
  return apply(writeSpec, [zero, value], { shape: layout.shape, strides: layout.strides, offset: layout.offset });
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
