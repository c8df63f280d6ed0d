/** Element types: half precision bit by bit, what comes of several types, and what a device refuses. */
import { describe, expect, test } from 'vitest';
import { arange, cat, full, ones, tensor, zeros, type Tensor } from 'jitlens';
import { resultType, type DType } from '../../../runtime/tensor/dtype.ts';
import { fromHalfBits, halfBits, toHalf } from '../../../runtime/tensor/half.ts';
import { onReference } from '../support/devices.ts';
import { read } from '../support/compare.ts';

describe('half precision', () => {
  test.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.0001 * 2 ** -25, 0x0001],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 / 3, 0x3555],
    [1023.9999 * 2 ** -24, 0x0400],
  ])('%d is %d', (x, bits) => {
    expect(halfBits(x)).toBe(bits);
  });

  test('every pattern of bits but NaN comes back, and lies between its neighbours', () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const x = fromHalfBits(bits);
      expect(halfBits(x)).toBe(bits);
      expect(halfBits(-x)).toBe(bits | 0x8000);
      const next = fromHalfBits(bits + 1);
      if (next === Infinity) continue;
      expect(toHalf(x + (next - x) * 0.49)).toBe(x);
      expect(toHalf(x + (next - x) * 0.51)).toBe(next);
      expect(halfBits((x + next) / 2) % 2).toBe(0);
    }
    expect(fromHalfBits(halfBits(NaN))).toBeNaN();
  });
});

/** Tensors with dims decide, then tensors of one number, then numbers, each only by a higher category. */
describe('the type of a result', () => {
  const dims = (dtype: DType) => ({ dtype, shape: [2] });
  const single = (dtype: DType) => ({ dtype, shape: [] });
  test.each([
    ['float16', [dims('float16'), single('float32')]],
    ['float32', [dims('float16'), dims('float32')]],
    ['float64', [dims('float32'), dims('float64')]],
    ['float16', [dims('int32'), single('float16')]],
    ['float16', [dims('float16'), dims('int32')]],
    ['float16', [dims('float16'), 1.5]],
    ['float32', [dims('int32'), 1.5]],
    ['float64', [single('float64'), 1.5]],
    ['int32', [dims('int32'), single('uint32')]],
    ['uint32', [dims('uint32'), single('int32')]],
    ['int32', [dims('bool'), single('int32')]],
    ['int32', [dims('bool'), 2]],
    ['float32', [dims('bool'), 0.5]],
    ['bool', [dims('bool'), single('bool')]],
    ['float32', [single('float32'), single('float16')]],
  ] as const)('%s', (expected, operands) => {
    expect(resultType(operands)).toBe(expected);
    expect(resultType([...operands].reverse())).toBe(expected);
  });
});

describe('on the reference device', () => {
  const halves = () => tensor([1 / 3, 2, 1e-3, 60000], { dtype: 'float16' });

  test('half precision rounds every result', async () => {
    const [third = NaN, , small = NaN] = [1 / 3, 2, 1e-3].map(toHalf);
    const results = onReference(() => [halves(), halves().mul(3), halves().add(halves()), halves().sum(), halves().exp()]);
    const [as, times, twice, sum, exp] = (await read(results)).map((r) => r.values);
    expect(as).toEqual([third, 2, small, 60000]);
    expect(times).toEqual([toHalf(third * 3), 6, toHalf(small * 3), Infinity]);
    expect(twice).toEqual([toHalf(2 * third), 4, toHalf(2 * small), Infinity]);
    expect(sum).toEqual([toHalf(third + 2 + small + 60000)]);
    expect(exp?.[0]).toBe(toHalf(Math.exp(third)));
    expect(results.map((x) => x.dtype)).toEqual(new Array(5).fill('float16'));
  });

  test('float64 keeps every digit', async () => {
    const results = onReference(() => [
      tensor(Float64Array.of(1 / 3), { dtype: 'float64' }),
      full([1], 0.1, { dtype: 'float64' }).add(full([], 0.2)),
      full([1], 2, { dtype: 'float64' }).sqrt(),
    ]);
    expect((await read(results)).map((r) => [r.dtype, r.values[0]])).toEqual([
      ['float64', 1 / 3],
      ['float64', 0.1 + 0.2],
      ['float64', Math.SQRT2],
    ]);
  });

  test('gradients flow in the type of what they are for', () => {
    onReference(() => {
      const x = ones([3], { dtype: 'float16' }).requiresGrad_();
      x.mul(2).sum().backward();
      expect(x.grad?.dtype).toBe('float16');
    });
  });
});

describe('a type that the device does not know', () => {
  const { features } = ones([1]).storage.backend.info;
  const cases: [string, () => Tensor][] = [
    ['float64 from nothing', () => zeros([2], { dtype: 'float64' })],
    ['float64 by conversion', () => ones([2]).to('float64')],
  ];
  if (!features.includes('shader-f16')) {
    cases.push(['float16 from numbers', () => tensor([1], { dtype: 'float16' })]);
    cases.push(['float16 by conversion', () => arange(3).to('float16')]);
  }
  test.each(cases)('%s', (_name, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'JL409' }));
  });
});

test('tensors of different types do not join', () => {
  expect(() => cat([ones([2]), arange(2)])).toThrow(/float32 and int32 do not join/);
});
