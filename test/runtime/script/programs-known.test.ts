/** @file Programs that look odd and are known when they are compiled: each gives what it gives eagerly. Their code is as people write it. */
/* eslint-disable -- the odd forms are what is tried */
import { jit, noGrad, randn, range, stack, tensor, type Tensor } from 'jitlens';
import { describe, expect, test } from 'vitest';
import { K, Counter, helper } from '../../fixtures/helpers.ts';
import { alike, everyWay, plain, thrown } from '../support/scripts.ts';

type Program = (...xs: Tensor[]) => unknown;
const T = (...v: number[]) => tensor(v);
enum Mode {
  A = 1,
  B = 2,
}
const cfg = { scale: 2, names: ['a', 'b'], nested: { k: 3 } } as const;

const programs: Record<string, [Program, Tensor[][]]> = {
  helperAcross: [(x) => helper(x).mul(K), [[T(1, 2)]]],
  enums: [(x) => ((Mode.A as number) === 1 ? x.mul(Mode.B) : x), [[T(1, 2)]]],
  cfgs: [(x) => x.mul(cfg.scale + cfg.nested.k).add(cfg.names.length), [[T(1, 2)]]],
  nullish: [
    (x) => {
      const m: Map<string, number> | null = null as never;
      return x.add((m as never as { size?: number } | null)?.size ?? 7);
    },
    [[T(1)]],
  ],
  closureCounter: [
    (x) => {
      let c = 0;
      const inc = () => {
        c += 1;
        return c;
      };
      inc();
      inc();
      return x.mul(inc());
    },
    [[T(1)]],
  ],
  long: [
    (x) => {
      let h = x.select(0, 0);
      for (const t of range(100)) h = h.mul(0.5).add(x.select(0, t)).tanh();
      return h;
    },
    [[randn([100, 3])]],
  ],
  longIdxConst: [
    (x) => {
      let h = x.slice(0, 0, 1);
      for (let t = 1; t < 80; t++) h = h.add(x.slice(0, t, t + 1));
      return h;
    },
    [[randn([80, 2])]],
  ],
  longCount: [
    (x) => {
      let n = 0;
      for (let t = 0; t < 100; t++) {
        x = x.add(1);
        n += 2;
      }
      return x.view([1, n - 200 + 2]);
    },
    [[T(1, 2)]],
  ],
  optional: [(x, m) => helper(x, m), [[T(1, 2)], [T(1, 2), T(3, 4)]]],
  comma: [
    (x) => {
      let a = 1;
      const b = (a++, a * 2);
      return x.mul(b);
    },
    [[T(1)]],
  ],
  shortAssign: [
    (x) => {
      let a: number | undefined;
      a ??= 4;
      let z = 0;
      z ||= 3;
      let q = 1;
      q &&= 9;
      return x.mul(a).add(z).add(q);
    },
    [[T(1)]],
  ],
  spreadArgs: [
    (x) => {
      const dims = [1, 2] as const;
      return x.view([...dims]).add(Math.max(...[1, 5, 2]));
    },
    [[T(1, 2)]],
  ],
  objSpread: [
    (x) => {
      const o = { a: 1, b: 2 };
      const p = { ...o, b: 3, c: x };
      return [p.a, p.b, p.c];
    },
    [[T(1)]],
  ],
  arrFrom: [(x) => stack(Array.from({ length: 3 }, (_, i) => x.mul(i))), [[T(1)]]],
  entries: [
    (x) => {
      let s = x;
      for (const [i, n] of [10, 20].entries()) s = s.add(i * n);
      return s;
    },
    [[T(1)]],
  ],
  sorted: [(x) => stack([3, 1, 2].sort().map((n) => x.mul(n))), [[T(1)]]],
  gatherMax: [
    (x) => {
      const { values, indices } = x.max(0) as never as { values: Tensor; indices: Tensor };
      return [values, indices];
    },
    [[T(1, 5, 2)]],
  ],
  counterClass: [
    (x) => {
      const c = new Counter(3);
      return x.mul(c.value).add(c.twice());
    },
    [[T(1)]],
  ],
  noGrads: [
    (x) =>
      noGrad(() => {
        let y = x;
        for (const i of range(3)) y = y.add(i);
        return y;
      }),
    [[T(1, 2)]],
  ],
};

test.each(Object.entries(programs))('%s', async (_, [program, inputs]) => {
  await alike(program, inputs);
});

describe('a map from outside', () => {
  const map = new Map<string, number>([
    ['a', 2],
    ['b', 3],
  ]);
  const options = { sizes: new Map<number, number | undefined>([[1, 4]]) };

  test('is read as JavaScript reads it', async () => {
    const read = (x: Tensor) => [x.mul(map.get('a') ?? 0), map.get('c') ?? -1, map.has('b'), map.has('c'), map.size];
    await everyWay(read, () => [T(1, 2)], [[2, 4], -1, true, false, 2]);
    await everyWay(
      (x: Tensor) => x.mul(options.sizes.get(1) ?? 1).add(options.sizes.get(2) ?? 1),
      () => [T(1)],
      [5],
    );
  });

  test.each<[string, (x: Tensor) => Tensor, string]>([
    ['an entry', (x) => x.mul(map.get('a') ?? 0), 'get("a")'],
    ['an entry that is not there yet', (x) => (map.has('d') ? x : x.neg()), 'has("d")'],
    ['its size', (x) => x.mul(map.size), 'size'],
    [
      'all of it',
      (x) => {
        let z = x;
        for (const [, k] of map) z = z.mul(k);
        return z;
      },
      'entries',
    ],
  ])('is noticed when it changes: %s', async (_, fn, what) => {
    const scripted = jit.script(fn);
    const [before, a] = [await plain(fn(T(1))), map.get('a')];
    expect(await plain(scripted(T(1)))).toEqual(before);
    map.set('a', 7).set('d', 5);
    const after = await plain(fn(T(1)));
    expect(after).not.toEqual(before);
    expect(await plain(scripted(T(1)))).toEqual(after);
    expect(scripted.info.recompiles.map((r) => r.guard)).toEqual([`‘${what}’, which the code reads`]);
    map.delete('d');
    map.set('a', a ?? 0);
  });

  test('is asked for a key that is known, and refuses one that is not', async () => {
    const scripted = jit.script((x: Tensor, k: number) => x.mul(options.sizes.get(k) ?? 1));
    expect([await plain(scripted(T(3), 1)), await plain(scripted(T(3), 2))]).toEqual([[12], [3]]);
    const late = jit.script(async (x: Tensor) => x.mul(options.sizes.get(await x.item()) ?? 1));
    expect(await thrown(() => late(T(1)))).toMatchObject({ code: 'JL312' });
  });
});

test('a variable from outside that changes is noticed', async () => {
  let factor = 5;
  const scripted = jit.script((x: Tensor) => x.mul(factor));
  expect(await plain(scripted(T(1)))).toEqual([5]);
  factor = 7;
  expect(await plain(scripted(T(1)))).toEqual([7]);
  expect(scripted.info.recompiles).toEqual([{ guard: '‘factor’, which the code reads', was: '5', now: '7' }]);
});
