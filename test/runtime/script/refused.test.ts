/** @file Programs that are refused: each with its rule's code, and where it stands. */
/* eslint-disable -- the odd forms are what is tried */
import { jit, tensor, zeros, type Tensor } from 'jitlens';
import { expect, test } from 'vitest';

type Program = (...xs: Tensor[]) => unknown;
const T = (...v: number[]) => tensor(v);

const programs: Record<string, [string, Program, Tensor[][]]> = {
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
  varAfterItsBlock: [
    'JL105',
    (x) => {
      for (var i = 0; i < 2; i++) x = x.add(1);
      return x.add(i);
    },
    [[T(1)]],
  ],
  varOverAnother: [
    'JL105',
    (x) => {
      var k = 1;
      {
        var k = 2;
      }
      return x.add(k);
    },
    [[T(1)]],
  ],
  varOverAParameter: [
    'JL105',
    (x) => {
      if (x.size(0) > 0) {
        var x = T(5);
      }
      return x;
    },
    [[T(1)]],
  ],
  varFromTurnToTurn: [
    'JL105',
    (x) => {
      for (let i = 0; i < 3; i++) {
        var seen: number | undefined;
        seen = seen === undefined ? 1 : seen + 1;
        x = x.add(seen);
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

test.each(Object.entries(programs))('%s', async (_, [code, program, [args = []]]) => {
  const place = { file: expect.stringContaining('refused.test.ts') };
  await expect((async () => jit.script(program)(...args))()).rejects.toMatchObject({ code, place });
});

test('a write through one of two arguments that share memory names both, and its line', () => {
  const written = (a: Tensor, { b }: { b: Tensor }): Tensor => {
    a.add_(1);
    return a.add(b);
  };
  const scripted = jit.script(written);
  const x = T(1, 2, 3, 4);
  const refused = expect.objectContaining({
    code: 'JL609',
    message: expect.stringMatching(
      /^add_ writes into ‘arguments\[0\]’ at refused\.test\.ts:\d+, and ‘arguments\[1\]\.b’ shares its memory$/,
    ),
  });
  expect(() => scripted(x, { b: x.view([4]) })).toThrow(refused as never);
});

test('a value whose gradient is wanted is not written into what outlives the call', () => {
  const written = (x: Tensor, { out }: { out: Tensor }): Tensor => {
    out.copy_(x.mul(2));
    return x.mul(3);
  };
  const refused = expect.objectContaining({
    code: 'JLT-GRAD',
    message: expect.stringMatching(/^copy_ at refused\.test\.ts:\d+ writes .* into ‘arguments\[1\]\.out’, which outlives/),
  });
  expect(() => jit.script(written)(T(1, 2).requiresGrad_(), { out: T(0, 0) })).toThrow(refused as never);
});
