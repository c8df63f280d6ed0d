/**
 * @file Dims cut, moved and repeated, elements turned and blanked, in terms of views and joins or by an index map. In: a
 * tensor. Out: a view where strides can say it, else a copy.
 */
import { JitLensError } from '../errors.ts';
import { condition, constant, modulo, plus, times, type Index } from '../tensor/affine.ts';
import { formatShape, needList, normalizeDim, resolveShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { composite, move, type Op } from './define.ts';
import type { Attributes } from './spec.ts';

const numbers = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[];

/** Dim `dim` cut into dims of the given sizes; one size may be -1. The opposite of `flatten`. */
export const unflatten: Op<[x: Tensor, dim: number, sizes: Shape]> = composite({
  name: 'unflatten',
  expand: (x, dim, sizes) => {
    const d = normalizeDim(dim, x.rank, 'unflatten');
    return x.reshape([...x.shape.slice(0, d), ...resolveShape(sizes, x.size(d), 'unflatten'), ...x.shape.slice(d + 1)]);
  },
  samples: ['f32[6,5] 0 [2,3]', 'f32[2,12] -1 [3,-1]'],
});

/** Sizes of 1 repeated to `shape`, without copying: `expand` under its other name. */
export const broadcastTo: Op<[x: Tensor, shape: Shape]> = composite({
  name: 'broadcastTo',
  expand: (x, shape) => x.expand(shape),
  samples: ['f32[3,1] [3,4]', 'f32[4] [2,3,4]'],
});

/** Dims `from` put at `to`; the others stay in order. */
export const movedim: Op<[x: Tensor, from: number | readonly number[], to: number | readonly number[]]> = composite({
  name: 'movedim',
  expand: (x, from, to) => {
    const dims = (list: number | readonly number[]) =>
      (typeof list === 'number' ? [list] : list).map((d) => normalizeDim(d, x.rank, 'movedim'));
    const [sources, targets] = [dims(from), dims(to)];
    if (
      sources.length !== targets.length ||
      new Set(sources).size !== sources.length ||
      new Set(targets).size !== targets.length
    ) {
      throw new JitLensError(
        'JLT-DIM',
        `movedim: [${sources.join(', ')}] to [${targets.join(', ')}]`,
        'Name as many targets as sources, each once.',
      );
    }
    const rest = x.shape.map((_, d) => d).filter((d) => !sources.includes(d));
    const left = rest.values();
    return x.permute(x.shape.map((_, d) => sources[targets.indexOf(d)] ?? left.next().value ?? 0));
  },
  samples: ['f32[2,3,4] 0 -1', 'f32[2,3,4] [0,1] [2,0]', 'f32[3,5] 1 0'],
});

/** The tensor laid out `counts` times along each dim; counts beyond its dims make new ones in front. */
export const repeat: Op<[x: Tensor, counts: readonly number[]]> = move({
  name: 'repeat',
  attributes: (x, counts) => {
    needList(counts, 'repeat');
    if (counts.length < x.rank || counts.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new JitLensError(
        'JL410',
        `repeat: [${counts.join(', ')}] for a tensor of shape ${formatShape(x.shape)}`,
        'Give a whole number from 0 for each dim; more make new dims in front.',
      );
    }
    return { counts };
  },
  shape: (shape, a) => {
    const counts = numbers(a, 'counts');
    return counts.map((n, d) => n * (shape[d + shape.length - counts.length] ?? 1));
  },
  map: (out, shape) => ({ index: shape.map((size, d) => turned(out[d + out.length - shape.length] ?? constant(0), 0, size)) }),
  grad: (g, _out, x, counts) => {
    const skip = counts.length - x.rank;
    const blocks = counts.flatMap((n, d) => [n, x.shape[d - skip] ?? 1]);
    return [
      g
        .reshape(blocks)
        .sum({ dim: counts.map((_, d) => 2 * d) })
        .reshape(x.shape),
    ];
  },
  samples: ['f32[3] [2]', 'f32[2,3] [2,3]', 'f32[3] [2,1,3]', 'f32[] [4]', 'f32[2,3] [1,0]'],
  onnx: 'Tile',
});

/** As `repeat`, with the counts of leading dims left out. */
export const tile: Op<[x: Tensor, counts: readonly number[]]> = composite({
  name: 'tile',
  expand: (x, counts) => x.repeat([...new Array<number>(Math.max(0, x.rank - counts.length)).fill(1), ...counts]),
  samples: ['f32[2,3] [2]', 'f32[3] [2,2]'],
});

/** (index + shift) mod size. */
function turned(index: Index, shift: number, size: number): Index {
  return size === 0 ? constant(0) : modulo(plus(index, ((shift % size) + size) % size), size);
}

/** The elements moved by `shifts` along `dims`; what leaves at one end comes in at the other. Without dims, in the flattened tensor. */
export const roll: Op<[x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]]> = composite({
  name: 'roll',
  expand: (x, shifts, dims) => {
    if (dims === undefined) return rolled(x.reshape([-1]), list(shifts), [0]).reshape(x.shape);
    return rolled(
      x,
      list(shifts),
      list(dims).map((d) => normalizeDim(d, x.rank, 'roll')),
    );
  },
  samples: ['f32[5] 2', 'f32[3,4] [1,-1] [0,1]', 'f32[3,4] 5', 'f32[3,4] -7 1'],
});

const list = (given: number | readonly number[]): readonly number[] =>
  typeof given === 'number' ? [given] : needList(given, 'roll');

const rolled: Op<[x: Tensor, shifts: readonly number[], dims: readonly number[]]> = move({
  name: 'roll',
  attributes: (_x, shifts, dims) => {
    if (shifts.length !== dims.length) {
      throw new JitLensError('JLT-DIM', `roll: ${shifts.length} shifts for ${dims.length} dims`, 'Give one shift for each dim.');
    }
    return { shifts, dims };
  },
  shape: (shape) => shape,
  map: (out, shape, a) => ({
    index: out.map((i, d) => {
      const shift = numbers(a, 'dims').reduce((sum, dim, n) => sum + (dim === d ? (numbers(a, 'shifts')[n] ?? 0) : 0), 0);
      return turned(i, -shift, shape[d] ?? 1);
    }),
  }),
  grad: (g, _out, _x, shifts, dims) => [
    rolled(
      g,
      shifts.map((n) => -n),
      dims,
    ),
  ],
});

type Triangle = Op<[x: Tensor, diagonal?: number]>;

/** Keeps places whose column less row is from `least` to `most`, both given the diagonal. */
function triangle(name: string, range: (diagonal: number) => readonly [number, number]): Triangle {
  const op: Triangle = move({
    name,
    attributes: (x, diagonal = 0) => {
      if (x.rank < 2) {
        throw new JitLensError(
          'JL410',
          `${name}: wants a matrix, got shape ${formatShape(x.shape)}`,
          'Give it two dims or more.',
        );
      }
      return { diagonal };
    },
    shape: (shape) => shape,
    map: (out, _shape, a) => {
      const [row = constant(0), column = constant(0)] = out.slice(-2);
      const [lo, hi] = range(a['diagonal'] as number);
      return { index: out, inside: condition([{ index: plus(column, times(row, -1)), lo, hi }]), otherwise: 0 };
    },
    grad: (g, _out, _x, diagonal) => [op(g, diagonal)],
    samples: ['f32[4,4]', 'f32[3,5] 1', 'f32[2,5,3] -1', 'i32[3,3]', 'f32[2,2] 9'],
    onnx: 'Trilu',
  });
  return op;
}

/** Larger than any place. */
const FAR = 2 ** 30;

/** The upper triangle of each matrix: what is below the diagonal (0, the main one; positive ones lie above) is 0. */
export const triu: Triangle = triangle('triu', (diagonal) => [diagonal, FAR]);
/** The lower triangle of each matrix: what is above the diagonal (0, the main one; positive ones lie above) is 0. */
export const tril: Triangle = triangle('tril', (diagonal) => [-FAR, diagonal + 1]);
