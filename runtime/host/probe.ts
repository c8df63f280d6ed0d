/**
 * @file What a device can do, measured: the step of its clock and its copy bandwidth. In: a backend. Out: figures for the
 * roofline; absent where there is no clock, and no bandwidth for a device that is not a GPU.
 */
import { GpuBackend } from '../kernels/eager.ts';
import { clone } from '../ops/move.ts';
import type { DeviceInfo } from '../profile/model.ts';
import type { Backend } from '../tensor/backend.ts';
import { full } from '../tensor/create.ts';
import { quantile } from './measure.ts';

const ELEMENTS = 1 << 26;
const REPEATS = 5;

export async function probeDevice(backend: Backend): Promise<Pick<DeviceInfo, 'timerResolutionNs' | 'copyBytesPerSecond'>> {
  if (!(backend instanceof GpuBackend)) return {};
  const { gpu } = backend;
  const times = await timesOf(gpu, backend.info.kind === 'gpu' ? ELEMENTS : 1024);
  if (!times) return {};
  const timerResolutionNs = times.map((ms) => Math.round(ms * 1e6)).reduce(gcd, 0) || undefined;
  const copyBytesPerSecond = backend.info.kind === 'gpu' ? (2 * 4 * ELEMENTS) / (quantile(times, 0.5) / 1000) : undefined;
  return { timerResolutionNs, copyBytesPerSecond };
}

async function timesOf(gpu: GpuBackend['gpu'], elements: number): Promise<number[] | undefined> {
  const source = full([elements], 1);
  const copies = Array.from({ length: REPEATS }, () => elements);
  const timed = await gpu.timed(() => copies.forEach(() => clone(source).dispose()));
  source.dispose();
  return timed?.map((t) => t.ms).filter((ms) => ms > 0);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
