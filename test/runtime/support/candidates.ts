/** One of the candidates for a kernel, whichever is the fastest: each has to give the same. */
import { vi } from 'vitest';
import type { Pipeline } from '../../../runtime/device/pipelines.ts';
import { Trial } from '../../../runtime/device/trial.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';

/**
 * From now on the n-th is found to be the fastest; the others are not even compiled. `isOne` says which kernels are candidates, of
 * which there is one plan's. Gives how many each kernel that was tried has.
 */
export function taking(n: number, isOne: (wgsl: string) => boolean): readonly number[] {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  const { gpu } = backend;
  const get = gpu.pipelines.get.bind(gpu.pipelines);
  const counts: number[] = [];
  let asked = 0;
  const left: unknown = { settled: Promise.resolve(), isSettled: true };
  vi.spyOn(gpu, 'compares', 'get').mockReturnValue(true);
  vi.spyOn(gpu.pipelines, 'get').mockImplementation((form) =>
    isOne(form.wgsl) && asked++ !== n ? (left as Pipeline) : get(form),
  );
  vi.spyOn(gpu, 'fastest').mockImplementation((candidates) => {
    counts.push(candidates.length);
    return new Trial(candidates, () => Promise.resolve(candidates.map((_, i) => (i === n ? 1 : 2))));
  });
  return counts;
}
