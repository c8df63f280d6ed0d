/**
 * @file `npm run bench:ops -- [OP …]`: single ops against what memory alone would take. In: names of ops. Out: a JSON line for each;
 * `--help` says what is in it.
 */
import { parseArgs } from 'node:util';
import { jit, manualSeed, Tensor } from 'jitlens';
import { quantile } from '../../runtime/host/measure.ts';
import { flattenTree } from '../../runtime/jit/tree.ts';
import { GpuBackend } from '../../runtime/kernels/eager.ts';
import { currentBackend } from '../../runtime/tensor/backend.ts';
import { dtypes } from '../../runtime/tensor/dtype.ts';
import { scoped } from '../../runtime/tensor/scope.ts';
import { opCases, type OpCase } from './op-cases.ts';

const HELP = `Usage: npm run bench:ops -- [OP…]

Times the ops whose names begin with OP, all when left out, on a GPU. One JSON line for each, as soon as it is measured:

  op                 its name; ‘grad’ is the gradients of all its inputs, its own kernels among them
  gpu_ms             the device's own clock, all kernels of a traced run; median of 9
  eager_gpu_ms       the same of an eager run
  floor_ms           inputs and results once, at 2.6 TB/s, and 0.002 for each kernel: products take longer whatever one does
  ratio              gpu_ms over floor_ms
  kernels            how each is scheduled

Ops: ${opCases.map((c) => c.name).join(', ')}.
Exit codes: 0 done, 1 this device is no GPU, 2 the command line was wrong.`;

const RUNS = 9;
const BYTES_PER_MS = 2.6e9;
const KERNEL_MS = 0.002;
/** A GPU that was idle is slow for a while. */
const WARMUP_MS = 600;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    strict: false,
    options: { help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values['help'] === true) {
    console.log(HELP);
    return 0;
  }
  const unknown = positionals.filter((name) => !opCases.some((c) => c.name.startsWith(name)));
  if (unknown.length > 0) {
    console.error(`No op is called ${unknown.join(', ')}. See \`npm run bench:ops -- --help\`.`);
    return 2;
  }
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend) || backend.info.kind !== 'gpu') {
    console.error(`${backend.info.name} is no GPU, and its times would say nothing.`);
    return 1;
  }
  const chosen = opCases.filter(({ name }) => positionals.length === 0 || positionals.some((p) => name.startsWith(p)));
  for (const c of chosen) console.log(JSON.stringify(await timed(c, backend)));
  return 0;
}

async function timed(c: OpCase, backend: GpuBackend) {
  manualSeed(0);
  const inputs = c.make();
  const traced = jit.trace(c.fn, inputs);
  const once = (fn: OpCase['fn']) => () =>
    scoped(
      () => void fn(...inputs),
      () => [],
    );
  const [run, eager] = [once(traced), once(c.fn)];
  run();
  await backend.sync();
  for (const start = performance.now(); performance.now() - start < WARMUP_MS;) {
    for (let i = 0; i < 20; i++) run();
    await backend.sync();
  }
  const results = flattenTree(traced(...inputs), c.name).tensors;
  const kernels = traced.info.compiled[0]?.plan?.kernels.map((k) => k.kernel.schedule) ?? [];
  const bytes = [...inputs, ...results].reduce((sum, x: Tensor) => sum + x.numel * dtypes[x.dtype].bytes, 0);
  const floor = bytes / BYTES_PER_MS + kernels.length * KERNEL_MS;
  const gpu = await clocked(run, backend);
  const line = {
    op: c.name,
    gpu_ms: fixed(gpu),
    eager_gpu_ms: fixed(await clocked(eager, backend)),
    floor_ms: fixed(floor),
    ratio: Number((gpu / floor).toFixed(1)),
    kernels,
    device: backend.info.name,
  };
  for (const x of [...inputs, ...results]) x.dispose();
  return line;
}

async function clocked(run: () => void, { gpu }: GpuBackend): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(((await gpu.timed(run)) ?? []).reduce((sum, t) => sum + t.ms, 0));
  return quantile(times, 0.5);
}

function fixed(ms: number): number {
  return Number(ms.toFixed(4));
}
