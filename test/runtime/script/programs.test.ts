/**
 * @file Programs that look odd: each gives what it gives eagerly, or is refused with a reason. Their code is as people write it, so
 * lint's taste is left aside here.
 */
/* eslint-disable -- the odd forms are what is tried */
import { jit, noGrad, randn, range, stack, tensor, zeros, type Tensor } from 'jitlens';
import { expect, test } from 'vitest';
import { K, Counter, helper } from '../../fixtures/helpers.ts';
import { plain } from '../support/scripts.ts';

type Program = (...xs: Tensor[]) => unknown;
const T = (...v: number[]) => tensor(v);
enum Mode {
  A = 1,
  B = 2,
}
const cfg = { scale: 2, names: ['a', 'b'], nested: { k: 3 } } as const;

const alike: Record<string, [Program, Tensor[][]]> = {
  helperAcross: [(x) => helper(x).mul(K), [[T(1, 2)]]],
  enums: [(x) => ((Mode.A as number) === 1 ? x.mul(Mode.B) : x), [[T(1, 2)]]],
  cfgs: [(x) => x.mul(cfg.scale + cfg.nested.k).add(cfg.names.length), [[T(1, 2)]]],
  nestedLoops: [
    async (x) => {
      let s = 0;
      for (const i of range(3)) {
        for (const j of range(3)) {
          if ((await x.select(0, 0).item()) > i + j) {
            s += 1;
            continue;
          }
          if (j === 2) break;
          s += 10;
        }
      }
      return s;
    },
    [[T(0)], [T(2)], [T(9)]],
  ],
  whileContinue: [
    async (x) => {
      let n = 0;
      let k = 0;
      while (n < 10) {
        n += 1;
        if ((await x.mul(n).item()) % 2 === 0) continue;
        k += n;
      }
      return k;
    },
    [[tensor(1)], [tensor(2)]],
  ],
  earlyInLoop: [
    async (x) => {
      for (const i of range(100)) {
        x = x.add(1);
        if ((await x.item()) > 5) return [x, i];
      }
      return [x, -1];
    },
    [[tensor(0)], [tensor(-1000)]],
  ],
  tupleState: [
    async (x) => {
      let [a, b] = [x, x.mul(2)] as [Tensor, Tensor];
      let n = 0;
      while ((await a.sum().item()) < 30) {
        [a, b] = [b, a.add(b)];
        n++;
      }
      return { a, b, n };
    },
    [[T(1, 1)], [T(30, 40)]],
  ],
  mutRecord: [
    async (x) => {
      const st = { h: x, n: 0 };
      while (st.n < 3 || (await st.h.max().item()) < 4) {
        st.h = st.h.mul(1.5);
        st.n += 1;
      }
      return st;
    },
    [[T(1, 2)]],
  ],
  listInBranch: [
    async (x) => {
      const outs: Tensor[] = [x];
      if ((await x.sum().item()) > 0) {
        outs.push(x.mul(2));
      } else {
        outs.push(x.mul(3));
      }
      return stack(outs);
    },
    [[T(1)], [T(-1)]],
  ],
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
  closureInBranch: [
    async (x) => {
      let c = 0;
      const inc = (n: number) => {
        c += n;
      };
      if ((await x.item()) > 0) inc(2);
      else inc(3);
      return x.mul(c);
    },
    [[tensor(1)], [tensor(-1)]],
  ],
  ternaryChain: [
    async (x) => {
      const v = await x.item();
      const k = v > 2 ? 3 : v > 1 ? 2 : v > 0 ? 1 : 0;
      return x.mul(k).add(k === 3 ? 100 : 0);
    },
    [[tensor(3)], [tensor(1.5)], [tensor(0.5)], [tensor(-1)]],
  ],
  logic: [
    async (x) => {
      const v = await x.item();
      const a = v > 0 && v < 10;
      const b = !a || v === 5;
      return [a, b, v > 0 ? 'pos' : 'neg'];
    },
    [[tensor(5)], [tensor(20)], [tensor(3)]],
  ],
  strings: [
    async (x) => {
      const v = await x.item();
      return `v=${v} ${v > 1 ? 'big' : 'small'}`;
    },
    [[tensor(2)], [tensor(0.5)]],
  ],
  mathy: [
    async (x) => {
      const v = await x.item();
      return Math.max(v, 2) + Math.floor(v / 2) * (v % 3) - Math.abs(-v) ** 2 + Number(v > 1);
    },
    [[tensor(7)], [tensor(-3)]],
  ],
  inplaceAcross: [
    async (x) => {
      const y = zeros([2, 2]);
      y.select(0, 0).add_(x);
      if ((await y.sum().item()) > 1) y.select(0, 1).add_(5);
      y.mul_(2);
      return y;
    },
    [[T(1, 2)], [T(0, 0)]],
  ],
  inplaceLoop: [
    async (x, n) => {
      const acc = zeros([2]);
      for (const i of range(await n!.item())) acc.add_(x.mul(i));
      return acc;
    },
    [[T(1, 2), tensor(10, { dtype: 'int32' })]],
  ],
  viewAcrossRead: [
    async (x) => {
      const y = x.mul(1);
      const v = y.slice(0, 0, 1);
      const s = await y.sum().item();
      v.add_(s);
      return [y, v];
    },
    [[T(1, 2)]],
  ],
  selectDyn: [
    async (x, n) => {
      let h = zeros([2]);
      for (const i of range(await n!.item())) h = h.add(x.select(0, i));
      return h;
    },
    [
      [
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
        tensor(3, { dtype: 'int32' }),
      ],
    ],
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
  intDtype: [
    async (x) => {
      const n = await x.sum().item();
      return x.add(n).mul(2);
    },
    [[tensor([1, 2], { dtype: 'int32' })]],
  ],
  boolItem: [
    async (x) => {
      if (await x.gt(1).any().item()) return x.mul(2);
      return x;
    },
    [[T(1, 2)], [T(0, 1)]],
  ],
  notItem: [
    async (x) => {
      if (!(await x.gt(1).all().item())) return x.mul(2);
      return x;
    },
    [[T(1, 2)], [T(2, 3)]],
  ],
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
  mapUnknown: [
    async (x) => {
      const v = await x.item();
      return [1, 2, 3].map((n) => n * v);
    },
    [[tensor(2)]],
  ],
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
  throwing: [
    async (x) => {
      if ((await x.item()) > 1) throw new Error(`bad ${await x.item()}`);
      return x;
    },
    [[tensor(1)], [tensor(2)]],
  ],
  voidRet: [
    async (x) => {
      if ((await x.item()) > 0) {
        x.add_(1);
        return;
      }
      x.sub_(1);
    },
    [[tensor(1)]],
  ],
  doWhileDyn: [
    async (x) => {
      let n = 0;
      do {
        x = x.mul(2);
        n++;
      } while ((await x.sum().item()) < 50);
      return [x, n];
    },
    [[T(1, 2)], [T(100)]],
  ],
  swapLoop: [
    async (x) => {
      let a = x;
      let b = x.mul(0);
      let i = 0;
      while (i < 5) {
        const c = a;
        a = b.add(1);
        b = c;
        i += 1;
        if ((await a.max().item()) > 3) break;
      }
      return [a, b];
    },
    [[T(1)], [T(9)]],
  ],
  condState: [
    async (x) => {
      let y: Tensor = x;
      let found = false;
      for (const i of range(6)) {
        const v = await x.add(i).item();
        if (!found && v > 3) {
          y = x.mul(i);
          found = true;
        }
      }
      return [y, found];
    },
    [[tensor(0)], [tensor(-10)]],
  ],
};

const refused: Record<string, [string, Program, Tensor[][]]> = {
  labels: [
    'JL213',
    (x) => {
      outer: for (const i of [1, 2] as const) {
        for (const j of [1, 2] as const) {
          if (j === 2) continue outer;
          x = x.add(i);
        }
      }
      return x;
    },
    [[T(1)]],
  ],
  tryCatch: [
    'JL216',
    (x) => {
      try {
        return x.add(1);
      } catch {
        return x;
      }
    },
    [[T(1)]],
  ],
  dateNow: ['JL308', (x) => x.add(Date.now() > 0 ? 1 : 0), [[T(1)]]],
  random: ['JL308', (x) => x.add(Math.random() > 2 ? 1 : 0), [[T(1)]]],
  recursion: [
    'JL306',
    (x) => {
      const f = (y: Tensor, n: number): Tensor => (n === 0 ? y : f(y.add(1), n - 1));
      return f(x, 3);
    },
    [[T(1)]],
  ],
  gen: [
    'JL218',
    (x) => {
      function* g() {
        yield 1;
      }
      for (const n of g()) x = x.add(n);
      return x;
    },
    [[T(1)]],
  ],
  forIn: [
    'JL206',
    (x) => {
      for (const k in { a: 1 }) x = x.add(k.length);
      return x;
    },
    [[T(1)]],
  ],
  del: [
    'JL318',
    (x) => {
      const o: { a?: number } = { a: 1 };
      delete o.a;
      return x;
    },
    [[T(1)]],
  ],
  regex: ['JL320', (x) => x.add(/a/.test('a') ? 1 : 0), [[T(1)]]],
  bigint: ['JL110', (x) => x.add(Number(1n)), [[T(1)]]],
  jsonn: ['JL307', (x) => x.add(JSON.parse('1') as number), [[T(1)]]],
  sortUnknown: [
    'JL307',
    async (x) => {
      const v = await x.item();
      return [v, 1].sort();
    },
    [[tensor(2)]],
  ],
  filterUnknown: [
    'JL307',
    async (x) => {
      const v = await x.item();
      return [1, 2, 3].filter((n) => n > v);
    },
    [[tensor(2)]],
  ],
  indexUnknown: [
    'JL312',
    async (x) => {
      const v = await x.item();
      return [10, 20, 30][v];
    },
    [[tensor(1)]],
  ],
  shapeUnknown: ['JL109', async (x) => zeros([await x.item()]), [[tensor(2)]]],
};

async function outcome(run: () => unknown): Promise<unknown> {
  try {
    return await plain(run());
  } catch (error) {
    return `throws ${(error as Error).message}`;
  }
}

test.each(Object.entries(alike))('%s', async (_, [program, inputs]) => {
  const scripted = jit.script(program);
  const fresh = (args: Tensor[]) => noGrad(() => args.map((x) => x.clone()));
  for (const args of [...inputs, ...inputs]) {
    const [eager, compiled] = [fresh(args), fresh(args)];
    expect(await outcome(() => scripted(...compiled))).toEqual(await outcome(() => program(...eager)));
    // What a call writes into its arguments is part of what it does.
    expect(await plain(compiled)).toEqual(await plain(eager));
  }
  expect(scripted.info.eagerCalls).toBe(0);
});

test.each(Object.entries(refused))('%s is refused', async (_, [code, program, [args = []]]) => {
  await expect((async () => jit.script(program)(...args))()).rejects.toMatchObject({
    code,
    place: { file: expect.stringContaining('programs.test.ts') },
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
