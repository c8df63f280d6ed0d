/** @file How many kernels a piece of eager code launches, on the device that tests run on. */
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';

export function launched(body: () => unknown): number {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device launches no kernels');
  const before = backend.gpu.count.dispatches;
  body();
  return backend.gpu.count.dispatches - before;
}
