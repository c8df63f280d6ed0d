/**
 * @file Measures one way of running an example. In: a function to run and the device. Out: wall time run-and-wait over many
 * runs, dispatches, and the time of every dispatch by the device's own clock.
 */
import type { Dispatch } from '../device/gpu.ts';
import { GpuBackend } from '../kernels/eager.ts';
import type { Run } from '../profile/model.ts';
import type { Backend } from '../tensor/backend.ts';
import { scoped } from '../tensor/scope.ts';

export interface MeasureOptions {
  readonly runs: number;
  readonly onRun: () => void;
  /** Whether the body gives a promise: its memory then goes when the collector finds out. */
  readonly waits?: boolean;
}

export interface Measured {
  readonly run: Omit<Run, 'bytes' | 'flops'>;
  /** The dispatches of one run in order, with median times; absent where there are no timestamps. */
  readonly dispatches?: readonly { readonly tag: Dispatch; readonly ms: number }[];
}

const WARMUP = 3;
/** A measurement stops at the first of its number of runs and this, but not before it has a median worth the name. */
const BUDGET_MS = 4000;
const LEAST_RUNS = 5;
const TIMED_RUNS = 5;

export async function measure(backend: Backend, body: () => unknown, options: MeasureOptions): Promise<Measured> {
  const once = options.waits
    ? async () => {
        await body();
      }
    : () =>
        scoped(
          () => void body(),
          () => [],
        );
  const gpu = backend instanceof GpuBackend ? backend.gpu : undefined;
  for (let i = 0; i < WARMUP; i++) {
    await once();
    await backend.sync();
    options.onRun();
  }
  gpu?.pool.resetPeak();
  const before = gpu?.count.dispatches ?? 0;
  const times: number[] = [];
  const start = performance.now();
  while (times.length < options.runs && (times.length < LEAST_RUNS || performance.now() - start < BUDGET_MS)) {
    const from = performance.now();
    await once();
    await backend.sync();
    times.push(performance.now() - from);
    options.onRun();
  }
  const peakBytes = gpu?.pool.memory.peakBytes;
  const dispatches = gpu ? (gpu.count.dispatches - before) / times.length : 0;
  const timed = gpu && (await timedDispatches(gpu, once, options.onRun));
  const total = timed?.reduce((sum, d) => sum + d.ms, 0);
  return {
    run: {
      medianMs: quantile(times, 0.5),
      p10Ms: quantile(times, 0.1),
      p90Ms: quantile(times, 0.9),
      runs: times.length,
      warmup: WARMUP,
      dispatches,
      peakBytes,
      gpuMs: backend.info.kind === 'gpu' ? total : undefined,
      softwareKernelMs: backend.info.kind === 'software' ? total : undefined,
    },
    dispatches: timed,
  };
}

async function timedDispatches(gpu: GpuBackend['gpu'], once: () => Promise<void> | void, onRun: () => void) {
  const runs: (readonly { tag: Dispatch; ms: number }[])[] = [];
  for (let i = 0; i < TIMED_RUNS; i++) {
    const run = await gpu.timed(once);
    if (!run) return undefined;
    runs.push(run);
    onRun();
  }
  const [first = []] = runs;
  return first.map(({ tag }, i) => ({ tag, ms: quantile(runs.map((r) => r[i]?.ms ?? NaN).filter(Number.isFinite), 0.5) }));
}

/** By linear interpolation between the two nearest of the sorted values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}
