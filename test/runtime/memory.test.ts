/** Memory: what scopes give back, what stays, and what happens where memory ends. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { keep, memory, nn, ones, optim, rand, scope, type Tensor } from 'jitlens';
import { openAdapter } from '../../runtime/device/adapter.ts';
import { BufferPool, parseSize, sizeText } from '../../runtime/device/buffers.ts';
import { Gpu } from '../../runtime/device/gpu.ts';
import { GpuBackend } from '../../runtime/kernels/eager.ts';
import { setCurrentBackend, type Backend } from '../../runtime/tensor/backend.ts';
import { onReference } from './support/devices.ts';

const live = () => memory()?.liveBytes ?? NaN;
const first = async (x: Tensor) => (await x.data())[0];

describe('a scope', () => {
  test('gives back all but its result', async () => {
    const before = live();
    const result = scope(() => {
      let x = ones([1000]);
      for (let i = 0; i < 20; i++) x = x.mul(2);
      return x;
    });
    expect(live() - before).toBe(4096);
    expect(await first(result)).toBe(2 ** 20);
    result.dispose();
    expect(live()).toBe(before);
  });

  test('keeps what its result views, what it was told to keep, and what scopes around it have', async () => {
    let kept: Tensor | undefined;
    const { part, list } = scope(() => {
      const x = rand([64, 64]);
      kept = keep(x.add(1));
      return { part: x.slice(0, 3, 4), list: [scope(() => x.mul(0).add(5))] };
    });
    expect(await part.data()).toHaveLength(64);
    expect(await first(list[0] ?? part)).toBe(5);
    expect(await kept?.data()).toHaveLength(4096);
  });

  test('refuses an async body, and tells of tensors that are gone', async () => {
    let gone: Tensor | undefined;
    scope(() => void (gone = ones([3])));
    await expect(gone?.data()).rejects.toThrow(/this tensor was disposed of/);
    expect(() => scope(async () => ones([1]).item())).toThrow(expect.objectContaining({ code: 'JLT-SCOPE' }));
  });

  test('a gradient that nobody has looked at is given back when the next one comes, any other stays', async () => {
    const layer = new nn.Linear(100, 100);
    const step = () =>
      scope(() => {
        layer.zeroGrad();
        layer
          .forward(ones([8, 100]))
          .sum()
          .backward();
      });
    step();
    const before = live();
    for (let i = 0; i < 20; i++) step();
    expect(live()).toBe(before);
    const seen = layer.weight.grad;
    step();
    expect(live()).toBeGreaterThan(before);
    expect(await seen?.data()).toHaveLength(10_000);
  });

  test('leaves the gradients of parameters and what an optimiser holds', async () => {
    const layer = new nn.Linear(4, 2);
    const adam = new optim.Adam(layer.parameters());
    const step = () =>
      scope(() => {
        adam.zeroGrad();
        const loss = layer
          .forward(ones([3, 4]))
          .square()
          .mean();
        loss.backward();
        adam.step();
        return loss.detach();
      });
    const losses = [step(), step(), step()];
    expect(await layer.weight.grad?.data()).toHaveLength(8);
    const [a = NaN, , c = NaN] = await Promise.all(losses.map(first));
    expect(c).toBeLessThan(a);
  });
});

test('memory() counts live, pooled and peak bytes, and is absent on the reference', () => {
  const before = memory();
  const x = ones([100_000]);
  const held = live() - (before?.liveBytes ?? NaN);
  expect(held).toBeGreaterThanOrEqual(400_000);
  expect(held).toBeLessThan(450_000);
  const pooled = memory()?.pooledBytes ?? NaN;
  x.dispose();
  expect(memory()).toMatchObject({ liveBytes: before?.liveBytes, pooledBytes: pooled + held });
  expect(memory()?.peakBytes).toBeGreaterThanOrEqual((before?.liveBytes ?? NaN) + held);
  expect(onReference(() => memory())).toBeUndefined();
});

describe('where memory ends', () => {
  let small: Backend;
  let before: Backend | undefined;
  beforeAll(async () => {
    process.env['JITLENS_MEMORY'] = '1M';
    const { device, info } = await openAdapter('auto');
    small = new GpuBackend(new Gpu(device, info));
    delete process.env['JITLENS_MEMORY'];
    before = setCurrentBackend(small);
  });
  afterAll(() => void setCurrentBackend(before));

  test('what is pooled is let go of, and then there is enough', async () => {
    for (const size of [60_000, 70_000, 80_000, 90_000, 100_000, 110_000, 120_000]) scope(() => void ones([size]).add(1));
    const x = ones([200_000]);
    expect(memory()?.limitBytes).toBe(2 ** 20);
    expect((memory()?.liveBytes ?? NaN) + (memory()?.pooledBytes ?? NaN)).toBeLessThanOrEqual(2 ** 20);
    expect(await first(x)).toBe(1);
    x.dispose();
  });

  test('the tensor, its shape, what it needs and what is left are named', async () => {
    const x = ones([150_000]);
    expect(() => x.add(1).add(1)).toThrow(
      /no memory for a float32 tensor of shape \[150000\], which needs 585\.9 KiB: .* are held by tensors; of 1 MiB there are .* left/,
    );
    expect(await first(x)).toBe(1);
    x.dispose();
    expect(await first(ones([150_000]))).toBe(1);
  });
});

afterEach(() => vi.unstubAllGlobals());

test('a buffer that the device refuses is named, never handed out again, and tells what there is', async () => {
  const problems: (object | null)[] = [null, { message: 'out of memory' }, null];
  const device = {
    pushErrorScope: () => undefined,
    popErrorScope: () => Promise.resolve(problems.shift() ?? null),
    createBuffer: () => ({ destroy: () => undefined }),
  } as unknown as GPUDevice;
  const errors: string[] = [];
  const pool = new BufferPool(device, Infinity, (error) => errors.push(error.message));
  vi.stubGlobal('GPUBufferUsage', { STORAGE: 128, COPY_SRC: 4, COPY_DST: 8 });
  const [first, second] = ['a first', 'a second'].map((what) => pool.take(1 << 20, () => what));
  if (!first || !second) throw new Error('nothing is known to be missing yet');
  pool.give(second);
  await Promise.resolve();
  await Promise.resolve();
  expect(errors).toEqual([expect.stringMatching(/no memory for a second, which needs 1 MiB/)]);
  expect(pool.memory).toMatchObject({ liveBytes: 2 ** 20, pooledBytes: 0, limitBytes: 2 ** 20 });
  expect(pool.take(1 << 20, () => 'a third')).toBeUndefined();
  pool.give(first);
  expect(pool.take(1 << 20, () => 'a fourth')).toBe(first);
});

test('sizes are read and written', () => {
  expect(['512M', '8g', '1.5 KiB', '64', '2TB', 'much', '-1'].map(parseSize)).toEqual([
    2 ** 29,
    2 ** 33,
    undefined,
    64,
    2 ** 41,
    undefined,
    undefined,
  ]);
  expect([0, 1023, 1536, 2 ** 30].map(sizeText)).toEqual(['0 bytes', '1023 bytes', '1.5 KiB', '1 GiB']);
});
