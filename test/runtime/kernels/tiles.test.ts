/** Products that are computed block by block: sizes that fill no block, work before and after, several products. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensor, type Tensor } from 'jitlens';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';

let undo = () => {};
beforeAll(async () => {
  undo = await useGpuSchedules();
});
afterAll(() => {
  undo();
});

/** Small whole numbers, so that sums are exact in float32, in an order that no size divides. */
const pattern = (count: number, step = 7) => Float32Array.from({ length: count }, (_, i) => ((step * i) % 11) - 5);
const sized = (shape: readonly number[], step?: number) =>
  tensor(
    pattern(
      shape.reduce((n, s) => n * s, 1),
      step,
    ),
  ).view(shape);

/** The traced values against `wanted` of each place of a row-major result; and that blocks were used. */
async function check<T extends [Tensor, ...Tensor[]]>(
  fn: (...xs: T) => Tensor,
  inputs: () => T,
  wanted: (flat: number) => number,
): Promise<void> {
  const traced = traceOf(fn, inputs());
  const kernels = onlyTrace(traced).plan?.kernels.map((k) => k.kernel.schedule) ?? [];
  expect(kernels.filter((s) => s.startsWith('workgroup per block'))).toHaveLength(1);
  const got = [...(await (traced(...inputs()) as Tensor).data())];
  const off = got.findIndex((x, i) => x !== wanted(i));
  expect(off < 0 ? 'equal' : `${off}: ${got[off]}, not ${wanted(off)}`).toBe('equal');
}

const dot = (k: number, a: (k: number) => number, b: (k: number) => number) => {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += a(i) * b(i);
  return sum;
};
const at = (xs: Float32Array, i: number) => xs[i] ?? 0;

describe('matmul', () => {
  test.each([
    [128, 128, 64, 'whole blocks'],
    [129, 127, 33, 'one more and one less'],
    [25, 300, 17, 'a side below a block'],
    [1500, 1410, 9 + 8, 'the largest blocks, not filled'],
    [640, 832, 24, 'blocks of the middle size'],
    [64, 19200, 24, 'few rows, many columns'],
    [320, 300, 2048, 'many steps, all whole'],
    [300, 320, 2049, 'many steps, the last one not'],
  ])('%d×%d, %d terms: %s', async (m, n, k) => {
    const [a, b] = [pattern(m * k), pattern(k * n, 5)];
    await check(
      (x, y) => x.matmul(y),
      () => [sized([m, k]), sized([k, n], 5)],
      (flat) =>
        dot(
          k,
          (i) => at(a, Math.floor(flat / n) * k + i),
          (i) => at(b, i * n + (flat % n)),
        ),
    );
  });

  test('of transposed operands, in batches, with work before and after', async () => {
    const [batch, m, n, k] = [3, 70, 45, 40] as const;
    const [a, b, c] = [pattern(batch * k * m), pattern(batch * n * k, 5), pattern(n, 3)];
    await check(
      (x, y, z) => x.transpose(1, 2).relu().matmul(y.transpose(1, 2).mul(2)).add(z).relu(),
      () => [sized([batch, k, m]), sized([batch, n, k], 5), sized([n], 3)],
      (flat) => {
        const [p, i, j] = [Math.floor(flat / (m * n)), Math.floor(flat / n) % m, flat % n];
        const left = (t: number) => Math.max(0, at(a, (p * k + t) * m + i));
        const right = (t: number) => 2 * at(b, (p * n + j) * k + t);
        return Math.max(0, dot(k, left, right) + at(c, j));
      },
    );
  });

  test.each([
    [20, 27],
    [512, 768],
  ])('two of different lengths, %d and %d, added up', async (k, l) => {
    const [m, n] = k > 500 ? [330, 300] : [33, 50];
    const [a, b, c, d] = [pattern(m * k), pattern(k * n, 5), pattern(m * l, 3), pattern(n * l, 4)];
    await check(
      (x, y, z, u) => x.matmul(y).add(z.matmul(u.transpose(0, 1))),
      () => [sized([m, k]), sized([k, n], 5), sized([m, l], 3), sized([n, l], 4)],
      (flat) => {
        const [i, j] = [Math.floor(flat / n), flat % n];
        const first = dot(
          k,
          (t) => at(a, i * k + t),
          (t) => at(b, t * n + j),
        );
        return (
          first +
          dot(
            l,
            (t) => at(c, i * l + t),
            (t) => at(d, j * l + t),
          )
        );
      },
    );
  });

  test('eagerly, where sizes are parameters', async () => {
    const [m, n, k] = [40, 33, 20] as const;
    const [a, b] = [pattern(m * k), pattern(k * n, 5)];
    const got = [
      ...(await sized([m, k])
        .matmul(sized([k, n], 5))
        .data()),
    ];
    const wanted = (flat: number) =>
      dot(
        k,
        (i) => at(a, Math.floor(flat / n) * k + i),
        (i) => at(b, i * n + (flat % n)),
      );
    expect(got.findIndex((x, i) => x !== wanted(i))).toBe(-1);
  });

  test('what is not finite stays in its row', async () => {
    const [m, n, k] = [40, 40, 20];
    const a = pattern(m * k);
    a[3 * k + 2] = Infinity;
    const b = pattern(k * n, 5).map((x) => x + 6);
    const traced = traceOf((x: Tensor, y: Tensor) => x.matmul(y), [tensor(a).view([m, k]), tensor(b).view([k, n])]);
    const got = [...(await (traced(tensor(a).view([m, k]), tensor(b).view([k, n])) as Tensor).data())];
    expect(got.every((x, i) => Number.isFinite(x) === (Math.floor(i / n) !== 3))).toBe(true);
  });
});

test('a convolution of single pixels is one', async () => {
  const [batch, inner, outer, size] = [2, 17, 26, 9] as const;
  const [x, w] = [pattern(batch * inner * size * size), pattern(outer * inner, 5)];
  await check(
    (image, weight) => image.conv2d(weight),
    () => [sized([batch, inner, size, size]), sized([outer, inner, 1, 1], 5)],
    (flat) => {
      const [b, o, place] = [
        Math.floor(flat / (outer * size * size)),
        Math.floor(flat / (size * size)) % outer,
        flat % (size * size),
      ];
      return dot(
        inner,
        (i) => at(x, (b * inner + i) * size * size + place),
        (i) => at(w, o * inner + i),
      );
    },
  );
});

test('a convolution is one, with its padding', async () => {
  const [batch, inner, outer, size, kernel] = [2, 5, 26, 9, 3] as const;
  const [x, w] = [pattern(batch * inner * size * size), pattern(outer * inner * kernel * kernel, 5)];
  await check(
    (image, weight) => image.conv2d(weight, undefined, { padding: 1 }),
    () => [sized([batch, inner, size, size]), sized([outer, inner, kernel, kernel], 5)],
    (flat) => {
      const [b, o, r, c] = [
        Math.floor(flat / (outer * size * size)),
        Math.floor(flat / (size * size)) % outer,
        Math.floor(flat / size) % size,
        flat % size,
      ];
      let sum = 0;
      for (let i = 0; i < inner; i++)
        for (let p = 0; p < kernel; p++)
          for (let q = 0; q < kernel; q++) {
            const [y, z] = [r + p - 1, c + q - 1];
            if (y < 0 || z < 0 || y >= size || z >= size) continue;
            sum += at(x, ((b * inner + i) * size + y) * size + z) * at(w, ((o * inner + i) * kernel + p) * kernel + q);
          }
      return sum;
    },
  );
});

test('two convolutions of one image, whose windows are read once', async () => {
  const [inner, outer, size, kernel] = [5, 26, 9, 3] as const;
  const [x, w, v] = [
    pattern(inner * size * size),
    pattern(outer * inner * kernel * kernel, 5),
    pattern(outer * inner * kernel * kernel, 3),
  ];
  const weight = (step: number) => sized([outer, inner, kernel, kernel], step);
  await check(
    (image, scale, shift) =>
      image
        .conv2d(scale, undefined, { padding: 1 })
        .mul(2)
        .add(image.conv2d(shift, undefined, { padding: 1 })),
    () => [sized([1, inner, size, size]), weight(5), weight(3)],
    (flat) => {
      const [o, r, c] = [Math.floor(flat / (size * size)), Math.floor(flat / size) % size, flat % size];
      let sum = 0;
      for (let i = 0; i < inner; i++)
        for (let p = 0; p < kernel; p++)
          for (let q = 0; q < kernel; q++) {
            const [y, z] = [r + p - 1, c + q - 1];
            if (y < 0 || z < 0 || y >= size || z >= size) continue;
            const place = ((o * inner + i) * kernel + p) * kernel + q;
            sum += at(x, (i * size + y) * size + z) * (2 * at(w, place) + at(v, place));
          }
      return sum;
    },
  );
});

/** Parts of a product are what is multiplied, so that a wrong part shows. */
const combined = (parts: readonly Tensor[]) => parts.reduce((sum, p, i) => sum.add(p.mul(i + 2)));

test.each([2, 3, 4])('%d parts of one product, side by side', async (count) => {
  const [m, n, k] = [37, 30, 41] as const;
  const [a, b] = [pattern(m * k), pattern(k * n * count, 5)];
  await check(
    (x, y) => combined(x.matmul(y).chunk(count, 1)),
    () => [sized([m, k]), sized([k, n * count], 5)],
    (flat) => {
      const [i, j] = [Math.floor(flat / n), flat % n];
      const part = (p: number) =>
        dot(
          k,
          (t) => at(a, i * k + t),
          (t) => at(b, t * n * count + p * n + j),
        );
      return Array.from({ length: count }, (_, p) => part(p) * (p === 0 ? 1 : p + 2)).reduce((x, y) => x + y);
    },
  );
});

test('parts of two products, and more rows than columns', async () => {
  const [m, n, k, l] = [200, 26, 20, 33] as const;
  const [a, b, c, d] = [pattern(m * k), pattern(k * n * 4, 5), pattern(m * l, 3), pattern(l * n * 4, 4)];
  await check(
    (x, y, z, u) => combined(x.matmul(y).add(z.matmul(u)).chunk(4, 1)),
    () => [sized([m, k]), sized([k, n * 4], 5), sized([m, l], 3), sized([l, n * 4], 4)],
    (flat) => {
      const [i, j] = [Math.floor(flat / n), flat % n];
      let sum = 0;
      for (let p = 0; p < 4; p++) {
        const first = dot(
          k,
          (t) => at(a, i * k + t),
          (t) => at(b, t * n * 4 + p * n + j),
        );
        const second = dot(
          l,
          (t) => at(c, i * l + t),
          (t) => at(d, t * n * 4 + p * n + j),
        );
        sum += (first + second) * (p === 0 ? 1 : p + 2);
      }
      return sum;
    },
  );
});

test('parts that are channels of a convolution lie along the rows', async () => {
  const [inner, outer, size] = [17, 26, 7] as const;
  const [x, w] = [pattern(inner * size * size), pattern(4 * outer * inner, 5)];
  await check(
    (image, weight) => combined(image.conv2d(weight).chunk(4, 1)),
    () => [sized([1, inner, size, size]), sized([4 * outer, inner, 1, 1], 5)],
    (flat) => {
      const [o, place] = [Math.floor(flat / (size * size)), flat % (size * size)];
      const part = (p: number) =>
        dot(
          inner,
          (i) => at(x, i * size * size + place),
          (i) => at(w, (p * outer + o) * inner + i),
        );
      return [0, 1, 2, 3].map((p) => part(p) * (p === 0 ? 1 : p + 2)).reduce((s, v) => s + v);
    },
  );
});
