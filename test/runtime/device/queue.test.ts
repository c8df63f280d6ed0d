/** The queue while pipelines are still being compiled: the order of the work, what is refused, and where memory ends. */
import { afterEach, expect, test } from 'vitest';
import { openAdapter } from '../../../runtime/device/adapter.ts';
import { Gpu } from '../../../runtime/device/gpu.ts';
import type { PooledBuffer } from '../../../runtime/device/buffers.ts';

afterEach(() => delete process.env['JITLENS_MEMORY']);

async function opened(): Promise<Gpu> {
  const { device, info } = await openAdapter('auto');
  return new Gpu(device, info);
}

const text = (step: string) => `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(1)
fn main() { x[0] = ${step}; }
`;
const buffer = (gpu: Gpu, bytes = 4) => gpu.buffer(bytes, () => 'a test');
const pipeline = (gpu: Gpu, step: string) => gpu.pipelines.get({ wgsl: text(step), access: ['write'], parameters: 0 });
const parameters = new Int32Array(0);

function dispatch(gpu: Gpu, step: string, x: PooledBuffer): void {
  gpu.dispatch({ pipeline: pipeline(gpu, step), buffers: [x], parameters, workgroups: 1, label: step });
}

async function value(gpu: Gpu, x: PooledBuffer): Promise<number | undefined> {
  return new Float32Array(await gpu.download(x, 4))[0];
}

test('a pipeline is not there at once, and work that needs it is done in the order in which it was asked for', async () => {
  const gpu = await opened();
  const [x, y] = [buffer(gpu), buffer(gpu)];
  const data = Float32Array.of(3);
  gpu.upload(x, data);
  expect(pipeline(gpu, 'x[0] * 10 + 1').handle).toBeUndefined();
  dispatch(gpu, 'x[0] * 10 + 1', x);
  dispatch(gpu, 'x[0] * 10 + 2', x);
  gpu.copy(x, y, 4);
  const early = value(gpu, x);
  data[0] = 7;
  gpu.upload(x, data);
  data[0] = 100;
  dispatch(gpu, 'x[0] * 10 + 1', x);
  expect(gpu.count.submits).toBe(0);
  const [late, copied] = [value(gpu, x), value(gpu, y)];
  dispatch(gpu, 'x[0] * 10 + 2', x);
  expect(await Promise.all([early, late, copied])).toEqual([312, 71, 312]);
  expect(await value(gpu, x)).toBe(712);
  expect(gpu.count.dispatches).toBe(4);
});

test('when all pipelines are there, work is on the queue when the call is over', async () => {
  const gpu = await opened();
  const x = buffer(gpu);
  dispatch(gpu, 'x[0] + 1', x);
  await gpu.sync();
  const { submits } = gpu.count;
  dispatch(gpu, 'x[0] + 1', x);
  gpu.flush();
  expect(gpu.count.submits).toBe(submits + 1);
  dispatch(gpu, 'x[0] * 10', x);
  dispatch(gpu, 'x[0] + 1', x);
  expect(await value(gpu, x)).toBe(21);
});

test('a kernel that the device refuses is an error at the next read, each time that it is used, and stops nothing else', async () => {
  const gpu = await opened();
  const x = buffer(gpu);
  for (let i = 0; i < 2; i++) {
    gpu.upload(x, Float32Array.of(i));
    dispatch(gpu, 'y[0]', x);
    dispatch(gpu, 'x[0] + 5', x);
    await expect(gpu.sync()).rejects.toMatchObject({ code: 'JLR-GPU' });
    expect(await value(gpu, x)).toBe(i + 5);
  }
});

test('too many workgroups are refused where they are asked for', async () => {
  const gpu = await opened();
  const much = { buffers: [buffer(gpu)], parameters, workgroups: 2 ** 33, label: '' };
  expect(() => gpu.dispatch({ ...much, pipeline: pipeline(gpu, '1.5') })).toThrow(expect.objectContaining({ code: 'JLT-SIZE' }));
  await gpu.sync();
});

test('where memory ends, pooled buffers that waiting work uses are let go of only when it is submitted', async () => {
  process.env['JITLENS_MEMORY'] = '96K';
  const gpu = await opened();
  const [old, x] = [buffer(gpu, 32768), buffer(gpu)];
  gpu.upload(old, Float32Array.of(4));
  dispatch(gpu, 'x[0] * 2', old);
  gpu.copy(old, x, 4);
  gpu.pool.give(old);
  const big = buffer(gpu, 65536);
  expect(gpu.count.submits).toBeGreaterThan(0);
  expect([await value(gpu, x), await value(gpu, big)]).toEqual([8, 0]);
});

test('more data than may wait is uploaded without waiting for a turn of the event loop', async () => {
  const gpu = await opened();
  const bytes = 1 << 24;
  const x = buffer(gpu, bytes);
  dispatch(gpu, 'x[0] + 0.5', x);
  for (let i = 0; i < 4; i++) gpu.upload(x, new Float32Array(bytes / 4).fill(i));
  dispatch(gpu, 'x[0] + 0.5', x);
  expect(gpu.count.submits).toBeGreaterThan(0);
  expect(await value(gpu, x)).toBe(3.5);
});

test('kernels that are timed before they are compiled are all timed', async () => {
  const gpu = await opened();
  const x = buffer(gpu);
  dispatch(gpu, 'x[0] + 10', x);
  const timed = await gpu.timed(() => {
    dispatch(gpu, 'x[0] + 20', x);
    dispatch(gpu, 'x[0] + 30', x);
  });
  dispatch(gpu, 'x[0] + 40', x);
  expect(timed?.map(({ tag }) => tag.label)).toEqual(['x[0] + 20', 'x[0] + 30']);
  expect(await value(gpu, x)).toBe(100);
});

test('work that waits when the device is lost is an error at the next read, and nothing hangs', async () => {
  const gpu = await opened();
  const x = buffer(gpu);
  dispatch(gpu, 'x[0] + 0.125', x);
  gpu.device.destroy();
  dispatch(gpu, 'x[0] + 0.25', x);
  await expect(gpu.sync()).rejects.toMatchObject({ code: 'JLR-GPU' });
  for (let i = 0; i < 2; i++) await expect(value(gpu, x)).rejects.toMatchObject({ code: 'JLR-GPU' });
});

test('what keeps a GPU busy is handed over at once, and what follows in larger and larger batches', async () => {
  const gpu = await opened();
  const x = buffer(gpu);
  dispatch(gpu, 'x[0] + 1', x);
  await gpu.sync();
  const busy = { pipeline: pipeline(gpu, 'x[0] + 1'), buffers: [x], parameters, workgroups: 1, label: 'busy', floor: 20 };
  const after = (count: number) => {
    const { submits } = gpu.count;
    for (let i = 0; i < count; i++) gpu.dispatch(busy);
    return gpu.count.submits - submits;
  };
  expect(after(1)).toBe(1);
  expect(after(1)).toBe(0);
  expect(after(1)).toBe(1);
  expect(after(4)).toBe(1);
  await gpu.sync();
  expect(after(1)).toBe(1);
  expect(await value(gpu, x)).toBe(9);
});
