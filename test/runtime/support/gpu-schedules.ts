/** A backend that schedules kernels as for a GPU, on whatever device there is: so that the tests run those schedules too. */
import { openAdapter } from '../../../runtime/device/adapter.ts';
import { Gpu } from '../../../runtime/device/gpu.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend, setCurrentBackend } from '../../../runtime/tensor/backend.ts';

/** Makes it current; gives back what undoes that. */
export async function useGpuSchedules(): Promise<() => void> {
  const { device, info } = await openAdapter('auto');
  const before = currentBackend();
  setCurrentBackend(new GpuBackend(new Gpu(device, { ...info, kind: 'gpu' })));
  return () => {
    setCurrentBackend(before);
    device.destroy();
  };
}
