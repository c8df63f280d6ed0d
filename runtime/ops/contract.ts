/** @file Sums of products. In: operands and what is summed over. Out: one sum for each position that is left. */
import { JitLensError } from '../errors.ts';
import { condition, constant, divide, modulo, plus, times, type Index } from '../tensor/affine.ts';
import { broadcastShapes, formatShape, numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, op, type Op } from './define.ts';
import { windowAttributes, type WindowOptions } from './move.ts';
import type { Attributes, HostView } from './spec.ts';

const CONTRACT = { tolerance: { relative: 2e-5, absolute: 2e-5 }, domain: [-1, 1] as const };

/** A matrix product's sizes: vectors count as a row (left) or a column (right), and that dim goes from the result. */
function sizes(a: Shape, b: Shape) {
  if (a.length === 0 || b.length === 0) {
    throw new JitLensError(
      'JL410',
      `matmul of ${formatShape(a)} and ${formatShape(b)}: both must have a dim`,
      'Use mul() with a scalar.',
    );
  }
  const rows = a.length > 1 ? a.at(-2) : undefined;
  const columns = b.length > 1 ? b.at(-1) : undefined;
  const inner = a.at(-1) ?? 1;
  const other = (b.length > 1 ? b.at(-2) : b[0]) ?? 1;
  if (inner !== other) {
    throw new JitLensError(
      'JL410',
      `matmul of ${formatShape(a)} and ${formatShape(b)}: ${inner} ≠ ${other}`,
      'The last dim of the left must equal the second to last of the right; transpose() one of them.',
    );
  }
  return { rows, columns, inner, batch: broadcastShapes([a.slice(0, -2), b.slice(0, -2)], 'matmul') };
}

function operandIndex(batch: readonly Index[], shape: Shape, tail: readonly Index[]): Index[] {
  const own = shape.slice(0, -2);
  const skip = batch.length - own.length;
  return [...own.map((size, d) => (size === 1 ? constant(0) : (batch[d + skip] ?? constant(0)))), ...tail];
}

const matmulSpec = contractSpec<[Tensor, Tensor]>({
  ...CONTRACT,
  name: 'matmul',
  onnx: 'MatMul',
  shape: ([a = [], b = []]) => {
    const { rows, columns, batch } = sizes(a, b);
    return [...batch, ...(rows === undefined ? [] : [rows]), ...(columns === undefined ? [] : [columns])];
  },
  extents: ([a = []]) => [a.at(-1) ?? 1],
  sources: (out, [k = constant(0)], [a = [], b = []]) => {
    const { rows, columns, batch } = sizes(a, b);
    const lead = out.slice(0, batch.length);
    const row = out[batch.length];
    const column = out.at(-1);
    return [
      { index: operandIndex(lead, a, rows !== undefined && row ? [row, k] : [k]) },
      { index: operandIndex(lead, b, columns !== undefined && column ? [k, column] : [k]) },
    ];
  },
  reference: ([a, b]) => (a && b ? multiply(a, b) : new Float64Array()),
});

function multiply(a: HostView, b: HostView): Float64Array {
  const { rows = 1, columns = 1, inner, batch } = sizes(a.shape, b.shape);
  const out = new Float64Array(numel(batch) * rows * columns);
  const start = (shape: Shape, n: number, size: number) => {
    let place = 0;
    let step = size;
    let rest = n;
    for (let d = batch.length - 1; d >= 0; d--) {
      const own = shape[shape.length - 2 - batch.length + d] ?? 1;
      place += own === 1 ? 0 : (rest % (batch[d] ?? 1)) * step;
      step *= own;
      rest = Math.floor(rest / (batch[d] ?? 1));
    }
    return place;
  };
  for (let n = 0; n < numel(batch); n++) {
    const left = start(a.shape, n, rows * inner);
    const right = start(b.shape, n, inner * columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let total = 0;
        for (let k = 0; k < inner; k++) total += (a.data[left + i * inner + k] ?? 0) * (b.data[right + k * columns + j] ?? 0);
        out[(n * rows + i) * columns + j] = total;
      }
    }
  }
  return out;
}

const asMatrix = (x: Tensor): Tensor => x.reshape([numel(x.shape.slice(0, -1)), x.size(-1)]);

/** Matrix product over the last two dims, batched and broadcast over the others; vectors as NumPy takes them. */
export const matmul: Op<[a: Tensor, b: Tensor]> = op(
  {
    ...CONTRACT,
    name: 'matmul',
    spec: matmulSpec,
    samples: [
      'f32[4] f32[4]',
      'f32[3,4] f32[4]',
      'f32[4] f32[4,5]',
      'f32[3,4] f32[4,5]',
      'f32[70,33] f32[33,65]',
      'f32[2,3,4] f32[4,5]',
      'f32[2,1,3,4] f32[5,4,2]',
      'f32[3,0] f32[0,2]',
      'f32[300,9] f32[9]',
    ],
    grad: (g, _out, a, b) => {
      if (a.rank === 1 && b.rank === 1) return [g.mul(b), g.mul(a)];
      if (b.rank === 1) return [g.unsqueeze(-1).mul(b), a.mul(g.unsqueeze(-1))];
      if (a.rank === 1) return [g.unsqueeze(-2).matmul(b.transpose(-1, -2)).squeeze(-2), a.unsqueeze(-1).mul(g.unsqueeze(-2))];
      const ofA = g.matmul(b.transpose(-1, -2));
      // One product over all rows of the batches, instead of one for each of them and their sum.
      if (b.rank === 2 && a.rank > 2) return [ofA, asMatrix(a).transpose(0, 1).matmul(asMatrix(g))];
      return [ofA, a.transpose(-1, -2).matmul(g)];
    },
  },
  (a, b) => apply(matmulSpec, [a, b]),
);

function ranked(name: string, a: number, b: number, samples: readonly string[]): Op<[a: Tensor, b: Tensor]> {
  return composite({
    ...CONTRACT,
    name,
    samples,
    expand: (x, y) => {
      if (x.rank !== a || y.rank !== b) {
        throw new JitLensError(
          'JL410',
          `${name}: wants ${a} and ${b} dims, got ${formatShape(x.shape)} and ${formatShape(y.shape)}`,
          'matmul() takes every combination.',
        );
      }
      return x.matmul(y);
    },
  });
}

/** Product of two matrices. */
export const mm: Op<[a: Tensor, b: Tensor]> = ranked('mm', 2, 2, ['f32[3,4] f32[4,5]']);
/** Product of two batches of matrices. */
export const bmm: Op<[a: Tensor, b: Tensor]> = ranked('bmm', 3, 3, ['f32[2,3,4] f32[2,4,5]']);
/** Product of a matrix and a vector. */
export const mv: Op<[a: Tensor, b: Tensor]> = ranked('mv', 2, 1, ['f32[3,4] f32[4]']);
/** Sum of the products of two vectors. */
export const dot: Op<[a: Tensor, b: Tensor]> = ranked('dot', 1, 1, ['f32[9] f32[9]']);

/** x · weightᵀ + bias, with weight [out, in] and bias [out]. */
export const linear: Op<[x: Tensor, weight: Tensor, bias?: Tensor]> = composite({
  ...CONTRACT,
  name: 'linear',
  expand: (x, weight, bias) => {
    const product = x.matmul(weight.transpose(-1, -2));
    return bias ? product.add(bias) : product;
  },
  samples: ['f32[2,4] f32[3,4] f32[3]', 'f32[2,5,4] f32[3,4]'],
});

const n = (a: Attributes, name: string): number => a[name] as number;

const foldSpec = contractSpec<[Tensor, readonly number[], number, WindowOptions?]>({
  ...CONTRACT,
  name: 'fold',
  shape: ([x = []], a) => [x[0] ?? 1, (x[1] ?? 1) / n(a, 'kernel') ** 2, n(a, 'height'), n(a, 'width')],
  extents: (_x, a) => [n(a, 'kernel'), n(a, 'kernel')],
  sources: (
    [batch = constant(0), channel = constant(0), y = constant(0), x = constant(0)],
    [ky = constant(0), kx = constant(0)],
    _s,
    a,
  ) => {
    const k = n(a, 'kernel');
    const back = (at: Index, inside: Index) => plus(plus(at, times(inside, -n(a, 'dilation'))), n(a, 'padding'));
    const [top, left] = [back(y, ky), back(x, kx)];
    const [row, column] = [divide(top, n(a, 'stride')), divide(left, n(a, 'stride'))];
    const inside = condition([
      { index: row, lo: 0, hi: n(a, 'rows') },
      { index: column, lo: 0, hi: n(a, 'columns') },
      { index: modulo(top, n(a, 'stride')), lo: 0, hi: 1 },
      { index: modulo(left, n(a, 'stride')), lo: 0, hi: 1 },
    ]);
    const cell = plus(plus(times(channel, k * k), times(ky, k)), kx);
    return [{ index: [batch, cell, plus(times(row, n(a, 'columns')), column)], inside, otherwise: 0 }];
  },
  reference: ([x], a, out) => (x ? scatterWindows(x, a, out.shape) : new Float64Array()),
});

function scatterWindows(x: HostView, a: Attributes, shape: Shape): Float64Array {
  const [batches = 1, channels = 1, height = 1, width = 1] = shape;
  const out = new Float64Array(numel(shape));
  const [k, rows, columns] = [n(a, 'kernel'), n(a, 'rows'), n(a, 'columns')];
  let from = 0;
  for (let image = 0; image < batches * channels; image++) {
    for (let cell = 0; cell < k * k; cell++) {
      for (let window = 0; window < rows * columns; window++, from++) {
        const y = Math.floor(window / columns) * n(a, 'stride') + Math.floor(cell / k) * n(a, 'dilation') - n(a, 'padding');
        const px = (window % columns) * n(a, 'stride') + (cell % k) * n(a, 'dilation') - n(a, 'padding');
        if (y < 0 || y >= height || px < 0 || px >= width) continue;
        const to = (image * height + y) * width + px;
        out[to] = (out[to] ?? 0) + (x.data[from] ?? 0);
      }
    }
  }
  return out;
}

/** The opposite of `unfold`: columns of windows added up where they overlap. [B, C·k², L] → [B, C, H, W]. */
export const fold: Op<[x: Tensor, size: readonly [number, number], kernel: number, options?: WindowOptions]> = op(
  {
    ...CONTRACT,
    name: 'fold',
    spec: foldSpec,
    samples: ['f32[1,18,6] [5,4] 3', 'f32[2,12,16] [6,7] 2 {"padding":1,"stride":2}'],
    grad: (g, _out, _x, _size, kernel, options) => [g.unfold(kernel, options)],
  },
  (x, [height, width], kernel, options) => {
    const windows = windowAttributes(height, width, kernel, options, 'fold');
    const wanted = windows.rows * windows.columns;
    if (x.rank !== 3 || (x.shape[1] ?? 0) % (kernel * kernel) !== 0 || x.shape[2] !== wanted) {
      throw new JitLensError(
        'JL410',
        `fold: ${formatShape(x.shape)} is not [batch, channels·${kernel * kernel}, ${wanted}]`,
        'The size, kernel and options must be those of the unfold().',
      );
    }
    return apply(foldSpec, [x], { ...windows, height, width });
  },
);
