/** Four elements at once: which kernels load and store so, which cannot, and that each element is where it belongs. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cat, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { randomTensor } from '../support/random.ts';
import { compared, onlyTrace } from '../support/traces.ts';

const numbers = (shape: readonly number[], seed: number) => randomTensor(shape, seed, 2);
/** What each binding of the only kernel holds, the results first. */
function bindings(traced: Parameters<typeof onlyTrace>[0]): string[] {
  const [kernel, ...more] = onlyTrace(traced).plan?.kernels ?? [];
  if (!kernel || more.length > 0) throw new Error('not one kernel');
  return [...kernel.kernel.text.wgsl.matchAll(/^@group.*array<(.*)>;$/gm)].map(([, type = '']) => type);
}
const [ONE, FOUR] = ['f32', 'vec4<f32>'];

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an elementwise kernel', () => {
  test.each<[string, (...xs: Tensor[]) => Tensor, number[][], string[]]>([
    ['of a whole tensor', (x) => x.mul(2).tanh(), [[512, 512]], [FOUR, FOUR]],
    ['with a row for all rows', (x, y) => x.add(y), [[512, 512], [512]], [FOUR, FOUR, FOUR]],
    [
      'with a column for all columns, an element for each thread',
      (x, y) => x.add(y),
      [
        [512, 512],
        [512, 1],
      ],
      [FOUR, FOUR, ONE],
    ],
    ['with one element for all', (x, y) => x.add(y), [[512, 512], []], [FOUR, FOUR, ONE]],
    ['that begins inside a vector', (x) => x.slice(0, 3).add(1), [[512 * 512 + 3]], [FOUR, FOUR]],
    ['of part of each row', (x) => x.slice(1, 2, 514).add(1), [[512, 516]], [FOUR, FOUR]],
    ['of part of each row, rows of odd length', (x) => x.slice(1, 2, 514).add(1), [[512, 515]], [ONE, ONE]],
    ['of rows of odd length, read whole', (x) => x.add(1), [[516, 515]], [FOUR, FOUR]],
    ['across memory', (x) => x.transpose(0, 1).mul(2), [[512, 512]], [ONE, ONE]],
    ['of every second element', (x) => x.slice(1, 0, 1024, 2).add(1), [[512, 1024]], [ONE, ONE]],
    ['that is too small to gain', (x) => x.add(1), [[64, 64]], [ONE, ONE]],
    ['read along and across', (x) => x.add(x.transpose(0, 1)), [[512, 512]], [ONE, ONE]],
    ['of matrices transposed above their rows', (x) => x.transpose(0, 1).add(1), [[8, 128, 256]], [FOUR, FOUR]],
    ['of an odd number', (x) => x.add(1), [[512 * 512 + 1]], [ONE, ONE]],
    ['repeated', (x) => x.expand([512, -1, -1]).mul(3), [[1, 8, 64]], [FOUR, FOUR]],
    ['turned around', (x) => x.flip([0]).mul(3), [[512, 512]], [FOUR, FOUR]],
    ['turned around in each row', (x) => x.flip([1]).mul(3), [[512, 512]], [ONE, ONE]],
  ])('%s', async (_name, fn, shapes, types) => {
    const [first = [], second = first] = shapes;
    const traced = await compared(fn, () => [numbers(first, 1), numbers(second, 2)]);
    expect(bindings(traced)).toEqual(types);
  });

  test('of truth values and of integers', async () => {
    const traced = await compared(
      (x) => x.gt(0).to('int32').add(1),
      () => [numbers([512, 512], 1)],
    );
    expect(bindings(traced)).toEqual(['vec4<i32>', FOUR]);
    const truths = await compared(
      (x) => x.gt(0),
      () => [numbers([512, 512], 1)],
    );
    expect(bindings(truths)).toEqual(['vec4<u32>', FOUR]);
  });

  test('in place', async () => {
    const x = numbers([512, 512], 1);
    const before = await x.data();
    x.mul_(2);
    x.add_(x);
    expect(await x.data()).toEqual(before.map((v) => v * 4));
  });

  test('of rows that are picked', async () => {
    const traced = await compared(
      (x, i) => x.indexSelect(0, i.to('int32')).mul(2),
      () => [numbers([7, 512], 1), numbers([512], 2).abs().mul(3).floor()],
    );
    expect(onlyTrace(traced).plan?.kernels.at(-1)?.kernel.text.wgsl).toContain('array<vec4<f32>>');
  });

  test('of joined tensors keeps its conditions', async () => {
    await compared(
      (x, y) => cat([x, y], 1).mul(2),
      () => [numbers([512, 254], 1), numbers([512, 258], 2)],
    );
    await compared(
      (x, y) => cat([x, y], 0).mul(2),
      () => [numbers([257, 512], 1), numbers([255, 512], 2)],
    );
  });
});

describe('a kernel by rows', () => {
  const madeForGpu = () => {
    const backend = currentBackend();
    if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
    vi.spyOn(backend.gpu, 'info', 'get').mockReturnValue({ ...backend.gpu.info, kind: 'gpu' });
  };
  const normalised = (x: Tensor, w: Tensor, b: Tensor) => x.layerNorm(x.size(1), w, b).gelu();

  test.each([
    [5, 1024, FOUR],
    [9, 768, FOUR],
    [3, 512, FOUR],
    [17, 96, FOUR],
    [3, 1000, ONE],
    [3, 1030, ONE],
  ])('%d of %d elements', async (rows, columns, type) => {
    madeForGpu();
    const inputs = () => [numbers([rows, columns], 1), numbers([columns], 2), numbers([columns], 3)] as const;
    expect(
      bindings(
        await compared(
          (x) => x.softmax(-1),
          () => [inputs()[0]],
        ),
      ),
    ).toEqual([type, type]);
    expect(bindings(await compared(normalised, () => [...inputs()]))).toEqual([type, type, type, type]);
  });
});
