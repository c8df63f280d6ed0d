/** @file Elements moved or repeated where strides cannot say it: copies, windows, padding, joins. */
import { JitLensError } from '../errors.ts';
import { condition, constant, divide, modulo, plus, times } from '../tensor/affine.ts';
import { broadcastShapes, formatShape, normalizeDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, move, op, type Op } from './define.ts';
import { shapeOf, type Attributes, type JoinSpec } from './spec.ts';

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

/** `amounts` = [before, after] for the last dim, then the one before it, and so on; new elements are `value`. */
export const pad: Op<[x: Tensor, amounts: readonly number[], value?: number]> = move({
  name: 'pad',
  attributes: (x, amounts, value = 0) => {
    if (amounts.length % 2 !== 0 || amounts.length > 2 * x.rank || amounts.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new JitLensError(
        'JLT-PAD',
        `pad: [${amounts.join(', ')}] does not fit a tensor of ${x.rank} dims`,
        'Give [before, after] pairs, last dim first.',
      );
    }
    return { amounts, value };
  },
  shape: (shape, a) => shape.map((size, d) => size + padding(a, shape.length, d)[0] + padding(a, shape.length, d)[1]),
  map: (out, shape, a) => {
    const index = out.map((i, d) => plus(i, -padding(a, shape.length, d)[0]));
    return {
      index,
      inside: condition(index.map((i, d) => ({ index: i, lo: 0, hi: shape[d] ?? 1 }))),
      otherwise: num(a, 'value'),
    };
  },
  grad: (g, _out, x, amounts) => [
    x.shape.reduce((part, size, d) => {
      const before = amounts[2 * (x.rank - 1 - d)] ?? 0;
      return part.slice(d, before, before + size);
    }, g),
  ],
  samples: ['f32[3,4] [1,2]', 'f32[2,3] [0,1,2,0] 7'],
  onnx: 'Pad',
});

function padding(a: Attributes, rank: number, d: number): readonly [number, number] {
  const amounts = a['amounts'] as readonly number[];
  const i = 2 * (rank - 1 - d);
  return [amounts[i] ?? 0, amounts[i + 1] ?? 0];
}

/** The elements of the given dims in opposite order. */
export const flip: Op<[x: Tensor, dims: readonly number[]]> = move({
  name: 'flip',
  attributes: (x, dims) => ({ dims: dims.map((d) => normalizeDim(d, x.rank, 'flip')) }),
  shape: (shape) => shape,
  map: (out, shape, a) => ({
    index: out.map((i, d) => ((a['dims'] as readonly number[]).includes(d) ? plus(times(i, -1), (shape[d] ?? 1) - 1) : i)),
  }),
  grad: (g, _out, _x, dims) => [g.flip(dims)],
  samples: ['f32[5] [0]', 'f32[2,3,4] [0,2]'],
});

export const catSpec: JoinSpec = {
  kind: 'join',
  name: 'cat',
  samples: [],
  tolerance: { relative: 0, absolute: 0 },
  onnx: 'Concat',
  flops: () => 0,
  infer(inputs, attributes) {
    const dim = num(attributes, 'dim');
    const shapes = inputs.map(shapeOf);
    const [first = []] = shapes;
    const fits = shapes.every((s) => s.length === first.length && s.every((size, d) => d === dim || size === first[d]));
    if (!fits || first.length === 0) {
      throw new JitLensError(
        'JL410',
        `cat: shapes ${shapes.map(formatShape).join(', ')} do not join along dim ${dim}`,
        'They must have the same dims, of the same sizes but for the joined one. stack() joins 0-d tensors.',
      );
    }
    const total = shapes.reduce((n, s) => n + (s[dim] ?? 0), 0);
    const [input] = inputs;
    return {
      shape: first.map((size, d) => (d === dim ? total : size)),
      dtype: typeof input === 'object' ? input.dtype : 'float32',
    };
  },
};

function needTensors(tensors: readonly Tensor[], name: string): Tensor {
  const [first] = tensors;
  if (!first) throw new JitLensError('JLT-EMPTY', `${name}: the list of tensors is empty`, 'Give at least one tensor.');
  const odd = tensors.find((x) => x.dtype !== first.dtype);
  if (odd)
    throw new JitLensError('JLT-DTYPE', `${name}: ${first.dtype} and ${odd.dtype} do not join`, 'Convert them to one dtype.');
  return first;
}

/** Tensors laid end to end along `dim` (0). */
export const cat: Op<[tensors: readonly Tensor[], dim?: number]> = op(
  {
    name: 'cat',
    spec: catSpec,
    samples: ['(f32[2,3],f32[4,3])', '(f32[2,3],f32[2,1],f32[2,2]) 1', '(i32[3],i32[2])'],
    tolerance: catSpec.tolerance,
    domain: [-2, 2],
    grad: (g, _out, tensors, dim = 0) => {
      let start = 0;
      return tensors.map((x) => g.slice(dim, start, (start += x.size(dim))));
    },
  },
  (tensors, dim = 0) => apply(catSpec, tensors, { dim: normalizeDim(dim, needTensors(tensors, 'cat').rank, 'cat') }),
);

/** Tensors of one shape laid along a new dim `dim` (0). */
export const stack: Op<[tensors: readonly Tensor[], dim?: number]> = composite({
  name: 'stack',
  expand: (tensors, dim = 0) => {
    needTensors(tensors, 'stack');
    broadcastShapes(
      tensors.map((x) => x.shape),
      'stack',
    );
    return cat(
      tensors.map((x) => x.unsqueeze(dim)),
      dim,
    );
  },
  samples: ['(f32[3],f32[3])', '(f32[],f32[],f32[])', '(f32[2,3],f32[2,3]) -1'],
});
