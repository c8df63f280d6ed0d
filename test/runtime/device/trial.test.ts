/** Trials: what runs is the fastest, once it is known; what waits for it keeps its order and its memory. */
import { afterEach, expect, test, vi } from 'vitest';
import { openAdapter } from '../../../runtime/device/adapter.ts';
import { Gpu } from '../../../runtime/device/gpu.ts';
import type { Runnable } from '../../../runtime/device/pipelines.ts';
import { fastestOf, timed, Trial, type Candidate } from '../../../runtime/device/trial.ts';

afterEach(() => vi.unstubAllEnvs());

async function opened(): Promise<Gpu> {
  const { device, info } = await openAdapter('auto');
  return new Gpu(device, info);
}

/** More threads than a device has. */
const TOO_MANY = 1 << 20;
const text = (step: string) => `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(${step === 'refused' ? TOO_MANY : 1})
fn main() { x[0] = ${step === 'refused' ? 0 : step}; }
`;
const candidate = (gpu: Gpu, step: string): Candidate => ({
  pipeline: gpu.pipelines.get({ wgsl: text(step), access: ['write'], parameters: 0 }),
  workgroups: 1,
});
const parameters = new Int32Array(0);

/** What a dispatch of it makes of 3, and of what another one of it makes of that. */
async function twice(gpu: Gpu, pipeline: Runnable): Promise<number | undefined> {
  const x = gpu.buffer(4, () => 'a test');
  gpu.upload(x, Float32Array.of(3));
  for (let i = 0; i < 2; i++) gpu.dispatch({ pipeline, buffers: [x], parameters, workgroups: 1, label: 'tried' });
  return new Float32Array(await gpu.download(x, 4))[0];
}

test.each<[string, (number | undefined)[], number]>([
  ['the fastest', [3, 1, 2], 1],
  ['the first, if others are hardly faster', [1, 0.98, 0.99], 0],
  ['one that was not refused', [undefined, 4, 3], 2],
  ['the first of those that are alike', [2, 1, 1], 1],
])('%s is chosen', (_what, ms, place) => expect(fastestOf(ms)).toBe(place));

test('what is put on the queue meanwhile runs the fastest, in order', async () => {
  const gpu = await opened();
  const trial = new Trial([candidate(gpu, 'x[0] * 10 + 1'), candidate(gpu, 'x[0] * 10 + 2')], () => Promise.resolve([2, 1]));
  expect(trial.handle).toBeUndefined();
  expect(await twice(gpu, trial)).toBe(322);
  expect(trial.outcome).toEqual({ fastest: 1, ms: [2, 1] });
  expect(await twice(gpu, trial)).toBe(322);
});

test('without figures it is the first that the device takes', async () => {
  const gpu = await opened();
  const fails = () => Promise.reject(new Error('no clock'));
  expect(await twice(gpu, new Trial([candidate(gpu, 'x[0] * 10 + 1'), candidate(gpu, 'x[0] + 2')], fails))).toBe(311);
  const refused = new Trial([candidate(gpu, 'refused'), candidate(gpu, 'x[0] + 2')], () => Promise.resolve(undefined));
  expect(await twice(gpu, refused)).toBe(7);
  expect(refused.outcome).toEqual({ fastest: 1, ms: [undefined, undefined] });
  const none = new Trial([candidate(gpu, 'refused')], () => Promise.resolve(undefined));
  await none.settled;
  expect([none.handle, none.refusal]).toEqual([undefined, expect.stringContaining('workgroup')]);
});

test('what cannot wait has the first that the device takes', async () => {
  const gpu = await opened();
  const trial = new Trial([candidate(gpu, 'x[0] * 10 + 1'), candidate(gpu, 'x[0] + 2')], () => Promise.resolve([2, 1]));
  trial.compile();
  expect(trial.isSettled).toBe(true);
  await trial.settled;
  expect(await twice(gpu, trial)).toBe(311);
  expect(trial.outcome).toBeUndefined();
  const refused = candidate(gpu, 'refused');
  await refused.pipeline.settled;
  const second = new Trial([refused, candidate(gpu, 'x[0] + 3')], () => new Promise(() => undefined));
  second.compile();
  expect(await twice(gpu, second)).toBe(9);
});

test('candidates are timed on memory of their own', async () => {
  const gpu = await opened();
  const x = gpu.buffer(4, () => 'a test');
  gpu.upload(x, Float32Array.of(3));
  const candidates = ['x[0] + 1', 'refused', 'x[0] + 2'].map((step) => candidate(gpu, step));
  await Promise.all(candidates.map((c) => c.pipeline.settled));
  const live = gpu.pool.memory;
  const given = { bytes: [4], room: 1 << 20, isIdle: false };
  const ms = await timed(gpu.device, candidates, { ...given, isIdle: true });
  expect(ms).toEqual([expect.any(Number), undefined, expect.any(Number)]);
  expect(await timed(gpu.device, candidates, { ...given, room: 3 })).toBeUndefined();
  expect(await timed(gpu.device, candidates.slice(0, 2), given)).toBeUndefined();
  expect(gpu.pool.memory).toEqual(live);
  expect(new Float32Array(await gpu.download(x, 4))[0]).toBe(3);
});

test('nothing is compared on a software device, or where that is not wanted', async () => {
  vi.stubEnv('JITLENS_TRIALS', '');
  const { device, info } = await openAdapter('auto');
  expect(new Gpu(device, { ...info, kind: 'software' }).compares).toBe(false);
  const gpu = new Gpu(device, { ...info, kind: 'gpu' });
  expect(gpu.compares).toBe(true);
  vi.stubEnv('JITLENS_TRIALS', 'off');
  expect(gpu.compares).toBe(false);
});
