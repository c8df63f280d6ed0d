/** Candidates of a traced kernel: values are those of eager code whichever runs, and what was found is remembered. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { manualSeed, rand, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { expectSame, read } from '../support/compare.ts';
import { useGpuSchedules } from '../support/gpu-schedules.ts';
import { CLOSE, onlyTrace, traceOf } from '../support/traces.ts';

let folder = '';
let leave: () => void;
beforeEach(async () => {
  leave = await useGpuSchedules();
  folder = mkdtempSync(join(tmpdir(), 'jitlens-trials-'));
  vi.stubEnv('JITLENS_CACHE', folder);
  vi.stubEnv('JITLENS_TRIALS', '');
  manualSeed(0);
});
afterEach(async () => {
  await setImmediate();
  leave();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const product = (x: Tensor, y: Tensor) => x.matmul(y).add(1).relu();
const given = (): [Tensor, Tensor] => [rand([24, 20]), rand([20, 28])];
const trials = () => join(folder, 'trials');

/** Traces, runs once, and says which kernel ran. */
async function run(inputs: [Tensor, Tensor]) {
  const traced = traceOf(product, inputs);
  const values = await read([traced(...inputs)]);
  const { plan } = onlyTrace(traced);
  await plan?.ready;
  await setImmediate();
  const [kernel, ...others] = plan?.kernels ?? [];
  expect(others).toEqual([]);
  expectSame(values, await read([product(...inputs)]), CLOSE, 'against eager');
  return { values, kernel: kernel?.kernel, stages: plan?.stages.map((s) => s.name) };
}

test('the device is asked once; another plan, and another process, know', async () => {
  const inputs = given();
  const first = await run(inputs);
  expect(first.kernel?.schedule).toMatch(/^workgroup per block, .* when tried, others /);
  expect(readdirSync(trials())).toHaveLength(1);
  const kept = await run(inputs);
  expect(kept.stages).toContain('from the cache');
  expect(kept.kernel?.text.wgsl).toBe(first.kernel?.text.wgsl);
  expect(kept.values).toEqual(first.values);
  // Another graph with the same kernel in it.
  rmSync(join(folder, 'plans'), { recursive: true });
  const [file = ''] = readdirSync(trials());
  const found = readFileSync(join(trials(), file), 'utf8');
  const again = await run(inputs);
  expect(again.stages).toContain('not in the cache');
  expect(again.kernel?.schedule).toBe(first.kernel?.schedule);
  expect(readFileSync(join(trials(), file), 'utf8')).toBe(found);
});

test('what nothing was tried for is not kept', async () => {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('a device without kernels');
  // As where there is no room for it.
  vi.spyOn(backend.gpu.pool, 'room', 'get').mockReturnValue(0);
  const { kernel } = await run(given());
  expect(kernel?.schedule).not.toContain('tried');
  expect(existsSync(trials()) || existsSync(join(folder, 'plans'))).toBe(false);
  vi.restoreAllMocks();
  expect((await run(given())).kernel?.schedule).toContain('when tried');
  expect(readdirSync(join(folder, 'plans'))).toHaveLength(1);
});
