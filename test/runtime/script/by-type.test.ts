/** @file What the types of the code say: lists that may change are not walked, and tensors that may be missing are asked for. */
import { jit, ones, tensor, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { everyWay, plain } from '../support/scripts.ts';

describe('lists that are walked', () => {
  const OUTSIDE = [1, 2, 3];
  const TYPED: readonly number[] = [1, 2, 3];
  const code = (fn: (x: Tensor) => Tensor) => {
    try {
      jit.script(fn)(ones([2]));
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };
  const sums: [string, string | undefined, (x: Tensor) => Tensor][] = [
    [
      'a literal',
      'JL203',
      (x) => {
        for (const n of [1, 2]) x = x.add(n);
        return x;
      },
    ],
    [
      'a variable',
      'JL203',
      (x) => {
        const ns: number[] = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'an inferred variable',
      'JL203',
      (x) => {
        const ns = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'one from outside',
      'JL203',
      (x) => {
        for (const n of OUTSIDE) x = x.add(n);
        return x;
      },
    ],
    [
      'a result of map',
      'JL203',
      (x) => {
        for (const y of x.unbind().map((z) => z.mul(2))) x = x.add(y);
        return x;
      },
    ],
    [
      'a readonly one from outside',
      undefined,
      (x) => {
        for (const n of TYPED) x = x.add(n);
        return x;
      },
    ],
    [
      'a tuple',
      undefined,
      (x) => {
        const ns = [1, 2] as const;
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'a readonly variable',
      undefined,
      (x) => {
        const ns: readonly number[] = [1, 2];
        for (const n of ns) x = x.add(n);
        return x;
      },
    ],
    [
      'what an op gives',
      undefined,
      (x) => {
        for (const y of x.unbind()) x = x.add(y);
        return x;
      },
    ],
    [
      'one that is changed behind its type',
      'JL204',
      (x) => {
        const ns: number[] = [1, 2];
        for (const n of ns as readonly number[]) {
          if (n < 2) ns.push(3);
          x = x.add(n);
        }
        return x;
      },
    ],
  ];
  test.each(sums)('%s: %s', (_, wanted, fn) => {
    expect(code(fn)).toBe(wanted);
  });
});

describe('tensors that may be missing', () => {
  const byType = (x: Tensor, m: Tensor | undefined) => (m ? x.mul(m) : x);
  const byMark = (x: Tensor, m?: Tensor) => {
    if (!m) return x.neg();
    return x.add(m);
  };
  const byAnd = (x: Tensor, m: Tensor | null) => (m && x.rank > 0 ? x.sub(m) : x);
  test.each([byType, byMark, byAnd])('%s asks whether they are there', async (fn) => {
    const given = fn as (x: Tensor, m: Tensor | undefined) => Tensor;
    for (const m of [tensor([2, 3]), undefined]) await everyWay(given, () => [ones([2]), m], await plain(given(ones([2]), m)));
  });

  class Shift extends jit.ScriptModule {
    constructor(readonly bias: Tensor | undefined) {
      super();
    }

    forward(x: Tensor): Tensor {
      return this.bias ? x.add(this.bias) : x;
    }
  }

  test('a field too', async () => {
    for (const bias of [jit.constant(tensor([5, 6])), undefined])
      expect(await plain(jit.script(new Shift(bias))(ones([2])))).toEqual(bias ? [6, 7] : [1, 1]);
  });

  test('one that is always there is asked for nothing', () => {
    /* eslint-disable @typescript-eslint/no-unnecessary-condition -- the mistake that is looked for */
    const always = (x: Tensor, m: Tensor) => (m ? x.mul(m) : x);
    const op = (x: Tensor, m: Tensor) => (x.gt(m) ? x : m);
    /* eslint-enable @typescript-eslint/no-unnecessary-condition */
    for (const fn of [always, op])
      expect(() => jit.script(fn)(ones([2]), ones([2]))).toThrow(expect.objectContaining({ code: 'JL209' }));
  });
});
