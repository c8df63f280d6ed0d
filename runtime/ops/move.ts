/** @file Elements moved where strides cannot say it: copies, windows, flips. */
import { JitLensError } from '../errors.ts';
import { condition, constant, divide, modulo, plus, times } from '../tensor/affine.ts';
import { formatShape, needList, normalizeDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, move, type Op } from './define.ts';
import type { Attributes } from './spec.ts';

/** The same tensor where it is row-major already, else a row-major copy. */
export const contiguous: Op<[x: Tensor]> = composite({
  name: 'contiguous',
  expand: (x) => (x.isContiguous() ? x : copied(x)),
  samples: ['f32[3,5]'],
});

/** A row-major copy. */
export const clone: Op<[x: Tensor]> = move({
  name: 'clone',
  attributes: () => ({}),
  shape: (shape) => shape,
  map: (out) => ({ index: out }),
  grad: (g) => [g],
  samples: ['f32[3,5]', 'f32[]'],
  onnx: 'Identity',
});

const copied: Op<[x: Tensor]> = move({
  name: 'contiguous',
  attributes: () => ({}),
  shape: (shape) => shape,
  map: (out) => ({ index: out }),
  grad: (g) => [g],
  onnx: 'Identity',
});

export interface WindowOptions {
  /** Zeros added on every side. Default 0. */
  readonly padding?: number;
  /** Distance between the elements of a window. Default 1. */
  readonly dilation?: number;
  /** Distance between windows. Default 1. */
  readonly stride?: number;
}

/** Sizes of a grid of square windows over an H×W image. */
export function windowAttributes(height: number, width: number, kernel: number, options: WindowOptions = {}, name = 'unfold') {
  const { padding = 0, dilation = 1, stride = 1 } = options;
  const bad = [kernel, dilation, stride].some((n) => !Number.isInteger(n) || n < 1) || !Number.isInteger(padding) || padding < 0;
  const count = (size: number) => Math.floor((size + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1;
  const rows = count(height);
  const columns = count(width);
  if (bad || rows < 1 || columns < 1) {
    throw new JitLensError(
      'JL410',
      `${name}: no window of ${kernel}×${kernel} (padding ${padding}, dilation ${dilation}, stride ${stride}) fits ${height}×${width}`,
      'Kernel, dilation and stride are whole numbers from 1, padding from 0, and one window must fit.',
    );
  }
  return { kernel, padding, dilation, stride, rows, columns };
}

function imageSize(x: Tensor, name: string): readonly [number, number] {
  const [, , height, width] = x.shape;
  if (x.rank !== 4 || height === undefined || width === undefined) {
    throw new JitLensError(
      'JL410',
      `${name}: wants [batch, channels, height, width], got ${formatShape(x.shape)}`,
      'Add the missing dims with view().',
    );
  }
  return [height, width];
}

const num = (a: Attributes, name: string): number => a[name] as number;

/**
 * Every square window of an image as a column: [B, C, H, W] → [B, C·k², L], channels outermost, L windows in row order.
 */
export const unfold: Op<[x: Tensor, kernel: number, options?: WindowOptions]> = move({
  name: 'unfold',
  attributes: (x, kernel, options) => windowAttributes(...imageSize(x, 'unfold'), kernel, options),
  shape: ([batch = 1, channels = 1], a) => [batch, channels * num(a, 'kernel') ** 2, num(a, 'rows') * num(a, 'columns')],
  map: ([batch = constant(0), row = constant(0), window = constant(0)], [, , height = 1, width = 1], a) => {
    const k = num(a, 'kernel');
    const place = (at: typeof row, inside: typeof row) =>
      plus(plus(times(at, num(a, 'stride')), times(inside, num(a, 'dilation'))), -num(a, 'padding'));
    const cell = modulo(row, k * k);
    const y = place(divide(window, num(a, 'columns')), divide(cell, k));
    const x = place(modulo(window, num(a, 'columns')), modulo(cell, k));
    return {
      index: [batch, divide(row, k * k), y, x],
      inside: condition([
        { index: y, lo: 0, hi: height },
        { index: x, lo: 0, hi: width },
      ]),
      otherwise: 0,
    };
  },
  grad: (g, _out, x, kernel, options) => [g.fold([x.size(2), x.size(3)], kernel, options)],
  samples: ['f32[1,2,5,4] 3', 'f32[2,3,6,7] 2 {"padding":1,"stride":2}', 'f32[1,1,9,9] 3 {"dilation":2,"padding":2}'],
});

/** The elements of the given dims in opposite order. */
export const flip: Op<[x: Tensor, dims: readonly number[]]> = move({
  name: 'flip',
  attributes: (x, dims) => ({ dims: needList(dims, 'flip').map((d) => normalizeDim(d, x.rank, 'flip')) }),
  shape: (shape) => shape,
  map: (out, shape, a) => ({
    index: out.map((i, d) => ((a['dims'] as readonly number[]).includes(d) ? plus(times(i, -1), (shape[d] ?? 1) - 1) : i)),
  }),
  grad: (g, _out, _x, dims) => [g.flip(dims)],
  samples: ['f32[5] [0]', 'f32[2,3,4] [0,2]'],
});
