/** @file Programs that look odd and decide at run time: each gives what it gives eagerly. Their code is as people write it. */
/* eslint-disable -- the odd forms are what is tried */
import { range, stack, tensor, zeros, type Tensor } from 'jitlens';
import { test } from 'vitest';
import { alike } from '../support/scripts.ts';

type Program = (...xs: Tensor[]) => unknown;
const T = (...v: number[]) => tensor(v);

const programs: Record<string, [Program, Tensor[][]]> = {
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
  mapUnknown: [
    async (x) => {
      const v = await x.item();
      return [1, 2, 3].map((n) => n * v);
    },
    [[tensor(2)]],
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

test.each(Object.entries(programs))('%s', async (_, [program, inputs]) => {
  await alike(program, inputs);
});
