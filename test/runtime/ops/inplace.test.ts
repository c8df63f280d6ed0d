/** In-place ops on whole tensors and on views, overlapping ones too: everything is read, then written. */
import { describe, expect, test } from 'vitest';
import { arange, jit, tensor, type Tensor } from 'jitlens';
import { EXACT, expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';

type InPlace = 'add_' | 'sub_' | 'mul_' | 'div_' | 'copy_';
const OPS: readonly InPlace[] = ['add_', 'sub_', 'mul_', 'div_', 'copy_'];

/** What is written, as a view of a [4, 6] tensor. */
const TARGETS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'the whole tensor': (x) => x,
  'a slice of rows': (x) => x.slice(0, 1, 3),
  'a slice of columns': (x) => x.slice(1, 2, 5),
  'every second column': (x) => x.slice(1, 1, 6, 2),
  'one row': (x) => x.select(0, 2),
  'one column': (x) => x.select(1, -1),
  'the transposed tensor': (x) => x.t(),
  'a view of other shape': (x) => x.view([2, 12]).slice(1, 3, 9),
  'a slice of a slice': (x) => x.slice(0, 1, 4).transpose(0, 1).slice(0, 2, 4),
  'one element': (x) => x.select(0, 1).select(0, 1),
};

/** What it is combined with; `x` is the tensor whose view `v` is written. */
const OPERANDS: Readonly<Record<string, (v: Tensor, x: Tensor) => Tensor | number>> = {
  'a number': () => 3,
  'a tensor': (v) =>
    arange(1, v.numel + 1)
      .to('float32')
      .view(v.shape),
  'a tensor that broadcasts': (v) => tensor(v.rank === 0 ? 2 : [2]),
  integers: (v) => arange(1, v.numel + 1).view(v.shape),
  itself: (v) => v,
  'an element of the same tensor': (_v, x) => x.select(0, 0).select(0, 3),
  'itself, backwards': (v) => v.flip(v.shape.map((_, d) => d)),
};

const start = () => arange(1, 25).to('float32').view([4, 6]);

describe.each(OPS)('%s', (op) => {
  describe.each(Object.entries(TARGETS))('on %s', (_target, view) => {
    test.each(Object.entries(OPERANDS))('with %s', async (_operand, operand) => {
      const write = (x: Tensor) => {
        const v = view(x);
        const returned = v[op](operand(v, x));
        return { returned, seen: x.add(0.5), sum: v.sum() };
      };
      const run = async (by: (x: Tensor) => unknown) => {
        const x = start();
        return read([by(x), x]);
      };
      const reference = await onReference(() => run(write));
      // Float division may round differently by one unit in the last place.
      const tolerance = op === 'div_' ? { relative: 1e-6, absolute: 0 } : EXACT;
      expectSame(await run(write), reference, tolerance, 'eager');
      const traced = jit.trace(write, [start()]);
      expectSame(await run(traced), reference, tolerance, 'traced');
    });
  });
});

/** Views of one tensor that share some places but not all. */
const OVERLAPS: Readonly<Record<string, { write: (x: Tensor) => Tensor; expected: readonly number[] }>> = {
  'each with the one before it': {
    write: (x) => x.slice(0, 1).add_(x.slice(0, 0, -1)),
    expected: [1, 3, 5, 7, 9, 11],
  },
  'each with the one after it': {
    write: (x) => x.slice(0, 0, -1).add_(x.slice(0, 1)),
    expected: [3, 5, 7, 9, 11, 6],
  },
  'moved by one': { write: (x) => x.slice(0, 1).copy_(x.slice(0, 0, -1)), expected: [1, 1, 2, 3, 4, 5] },
  'halves swapped into one': {
    write: (x) => x.slice(0, 0, 3).copy_(x.slice(0, 3)),
    expected: [4, 5, 6, 4, 5, 6],
  },
  'transposed onto itself': {
    write: (x) =>
      x
        .slice(0, 0, 4)
        .view([2, 2])
        .copy_(x.slice(0, 0, 4).view([2, 2]).t()),
    expected: [1, 3, 2, 4, 5, 6],
  },
  'every second from the others': {
    write: (x) => x.slice(0, 0, 6, 2).sub_(x.slice(0, 1, 6, 2)),
    expected: [-1, 2, -1, 4, -1, 6],
  },
};

describe('overlapping views of [1, 2, 3, 4, 5, 6]', () => {
  const six = () => tensor([1, 2, 3, 4, 5, 6]);
  const numbers = async (x: Tensor) => [...(await x.data())];
  test.each(Object.entries(OVERLAPS))('%s', async (_name, { write, expected }) => {
    const [eager, traced] = [six(), six()];
    write(eager);
    expect(await numbers(eager)).toEqual(expected);
    jit.trace(write, [six()])(traced);
    expect(await numbers(traced)).toEqual(expected);
    const reference = onReference(six);
    write(reference);
    expect(await numbers(reference)).toEqual(expected);
  });
});

describe('the dtype of what is written stays', () => {
  test.each([
    ['int32', 'add_', 0.75, [1, 2, 3]],
    ['int32', 'mul_', 1.5, [1, 3, 4]],
    ['int32', 'div_', 2, [0, 1, 1]],
    ['bool', 'copy_', 2, [1, 1, 1]],
    ['float32', 'copy_', 0.5, [0.5, 0.5, 0.5]],
  ] as const)('%s.%s(%d)', async (dtype, op, value, expected) => {
    const make = () => tensor([1, 2, 3]).to(dtype);
    const write = (x: Tensor) => x[op](value);
    const check = async (x: Tensor) => {
      expect(x.dtype).toBe(dtype);
      expect([...(await x.data())]).toEqual(expected);
    };
    await check(write(make()));
    await check(onReference(() => write(make())));
    await check(jit.trace(write, [make()])(make()));
  });
});

describe('what cannot be written is refused', () => {
  test.each([
    ['a result of another shape', () => tensor([1, 2]).add_(tensor([[1], [2]])), 'JL410'],
    [
      'an expanded tensor',
      () =>
        tensor([[1], [2]])
          .expand([2, 3])
          .add_(1),
      'JLT-INPLACE',
    ],
  ])('%s', (_name, write, code) => {
    expect(write).toThrow(expect.objectContaining({ code }));
    expect(() => onReference(write)).toThrow(expect.objectContaining({ code }));
    expect(() => jit.trace(write, [])).toThrow(expect.objectContaining({ code }));
  });
});
