/** @file What the figures suggest. In: runs, device, kernels. Out: sentences a person can act on; none when there is nothing to say. */
import type { Advice, DeviceInfo, ProfileKernel, Run } from './model.ts';

/** A kernel below this share of the copy bandwidth, with few operations for each byte, leaves time on the table. */
const LOW_BANDWIDTH = 0.3;

export function advise(runs: { eager: Run; traced: Run }, device: DeviceInfo, kernels: readonly ProfileKernel[]): Advice[] {
  const advice: Advice[] = [];
  if (device.kind !== 'gpu') {
    advice.push({
      severity: 'info',
      message: `No GPU was used: these are times of ${device.name}. Compare them with each other, not with a GPU's.`,
    });
  }
  if (runs.traced.medianMs > runs.eager.medianMs) {
    const percent = Math.round((runs.traced.medianMs / runs.eager.medianMs - 1) * 100);
    advice.push({ severity: 'warning', message: `The compiled run is ${percent} % slower than the eager one.` });
  }
  const { gpuMs, medianMs } = runs.traced;
  if (gpuMs !== undefined && gpuMs < medianMs / 2) {
    const waiting = (medianMs - gpuMs).toFixed(3);
    advice.push({
      severity: 'info',
      message: `${waiting} ms of the compiled run is submitting and waiting, not computing: larger inputs or more work in one call would use the GPU better.`,
    });
  }
  for (const kernel of kernels) {
    if (device.copyBytesPerSecond === undefined || !kernel.ms) continue;
    const share = kernel.bytes / (kernel.ms / 1000) / device.copyBytesPerSecond;
    if (share < LOW_BANDWIDTH && kernel.flops < 10 * kernel.bytes && kernel.ms > 0.02) {
      advice.push({
        severity: 'info',
        message: `${kernel.name} moves its bytes at ${Math.round(share * 100)} % of the copy bandwidth.`,
        kernel: kernel.id,
        span: kernel.spans[0],
      });
    }
  }
  return advice;
}
