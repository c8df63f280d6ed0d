/**
 * @file `npm run bench -- [CASE …]`: one JSON line per case and mode, {peer, case, mode, ms, min, throughput_ms, gpu_ms,
 * dispatches, device, kind}; `--help` says more. ms is the median of run-and-wait, throughput_ms 50 runs back to back / 50, gpu_ms the device's own clock.
 */
import { jit, manualSeed } from 'jitlens';
import { invariant } from '../../runtime/errors.ts';
import { ratios, type BenchLine } from '../../runtime/cli/ratios.ts';
import { difference } from '../../runtime/host/check.ts';
import { quantile } from '../../runtime/host/measure.ts';
import { executable } from '../../runtime/jit/execute.ts';
import { GpuBackend } from '../../runtime/kernels/eager.ts';
import { currentBackend } from '../../runtime/tensor/backend.ts';
import { scoped } from '../../runtime/tensor/scope.ts';
import type { HostArray } from '../../runtime/tensor/dtype.ts';
import type { Case } from './cases.ts';
import { options } from './options.ts';

const RUNS = 30;
const WARMUP = 8;
/** An H100 that was idle, as while pipelines are compiled, runs at a fifth of its speed for 0.4 s. */
const WARMUP_MS = 600;
const BACK_TO_BACK = 50;
const TOLERANCE = 1e-4;
const BUDGET_MS = 10_000;

const fixed = (ms: number): number => Number(ms.toFixed(4));

const { chosen, baseline, kernels, without } = options();
const backend = currentBackend();
const lines: BenchLine[] = [];
for (const c of chosen) await bench(c);
if (baseline) process.stderr.write(ratios(lines, baseline));
process.exit(lines.every((l) => l.ms !== undefined) ? 0 : 1);

async function bench(c: Case): Promise<void> {
  if (c.needs && !(backend instanceof GpuBackend && backend.gpu.device.features.has(c.needs))) {
    process.stderr.write(`${c.name} is left out: ${backend.info.name} has no ${c.needs}.\n`);
    return;
  }
  // Two settings from one seed, both called twice: a case may change its own state.
  const eager = made(c);
  eager.fn(...eager.inputs);
  const want = await eager.fn(...eager.inputs).data();
  const other = made(c);
  const traced = c.only === 'eager' ? undefined : jit.trace(other.fn, other.inputs);
  if (traced && !isRight(c, 'traced', await traced(...other.inputs).data(), want)) return;
  if (c.only !== 'traced') await time(c, 'eager', () => void eager.fn(...eager.inputs));
  if (traced) await time(c, 'traced', () => void traced(...other.inputs));
  if (traced && without.length > 0) for (const left of [[], without]) await replay(c, left, want);
}

/** The plan alone, with some passes left out: no guards, and what the code leaves behind stays where it is. */
async function replay(c: Case, left: readonly string[], want: HostArray): Promise<void> {
  const mode = ['replay', ...left].join(' without ');
  const { fn, inputs } = made(c);
  const recorded = jit.trace(fn, inputs).info.compiled[0]?.recorded;
  const { run } = executable(invariant(recorded, 'a trace'), backend, left);
  const [first] = run(inputs);
  if (isRight(c, mode, await invariant(first, 'a result').data(), want)) await time(c, mode, () => void run(inputs));
}

function isRight(c: Case, mode: string, got: HostArray, want: HostArray): boolean {
  const { relative } = difference([got], [want]);
  if (relative <= TOLERANCE) return true;
  line(c, mode, { error: `values differ from eager by ${relative}` });
  return false;
}

function made(c: Case): ReturnType<Case['make']> {
  manualSeed(0);
  return c.make();
}

async function time(c: Case, mode: string, body: () => void): Promise<void> {
  const once = () => scoped(body, () => []);
  const gpu = backend instanceof GpuBackend ? backend.gpu : undefined;
  const run = async () => {
    const start = performance.now();
    once();
    await backend.sync();
    return performance.now() - start;
  };
  const from = performance.now();
  do {
    for (let i = 0; i < WARMUP; i++) once();
    await backend.sync();
  } while (performance.now() - from < WARMUP_MS);
  const dispatches = gpu?.count.dispatches ?? 0;
  const times: number[] = [];
  const begin = performance.now();
  while (times.length < RUNS && (times.length < 3 || performance.now() - begin < BUDGET_MS)) times.push(await run());
  const perRun = gpu && (gpu.count.dispatches - dispatches) / times.length;
  const start = performance.now();
  for (let i = 0; i < BACK_TO_BACK; i++) once();
  await backend.sync();
  const throughput = (performance.now() - start) / BACK_TO_BACK;
  const clocked: number[] = [];
  let last: readonly { tag: { label: string }; ms: number }[] = [];
  for (let i = 0; i < 5; i++) {
    const timed = await gpu?.timed(once);
    last = timed ?? [];
    if (timed) clocked.push(timed.reduce((sum, t) => sum + t.ms, 0));
  }
  line(c, mode, {
    ms: fixed(quantile(times, 0.5)),
    min: fixed(Math.min(...times)),
    throughput_ms: fixed(throughput),
    gpu_ms: backend.info.kind === 'gpu' && clocked.length > 0 ? fixed(quantile(clocked, 0.5)) : undefined,
    dispatches: perRun,
  });
  if (!kernels) return;
  for (const { tag, ms } of [...last].sort((a, b) => b.ms - a.ms).slice(0, 24))
    print(c, mode, { kernel: tag.label, gpu_ms: fixed(ms) });
}

function line(c: Case, mode: string, figures: Readonly<Record<string, unknown>> & { ms?: number }): void {
  lines.push({ peer: 'jitlens', case: c.name, mode, ms: figures.ms, device: backend.info.name });
  print(c, mode, figures);
}

function print(c: Case, mode: string, figures: Readonly<Record<string, unknown>>): void {
  const { name: device, kind } = backend.info;
  console.log(JSON.stringify({ peer: 'jitlens', case: c.name, mode, ...figures, device, kind }));
}
