/**
 * @file Kernels that compute the same, of which a device runs one. In: candidates, and what they bind. Out: the fastest by the
 * device's clock, found before the first run; it stays the one from then on. Each works on memory of its own meanwhile: what
 * waits on the queue is neither read nor written.
 */
import { Clock } from './clock.ts';
import { gridOf } from './grid.ts';
import type { Pipeline, Runnable } from './pipelines.ts';

export interface Candidate {
  readonly pipeline: Pipeline;
  readonly workgroups: number;
}

export interface Outcome {
  /** The one that was chosen, by its place. */
  readonly fastest: number;
  /** Milliseconds of each; absent for one that the device refused. */
  readonly ms: readonly (number | undefined)[];
}

/** Another than the first must be faster by so much: below it a trial would decide by chance. */
const MARGIN = 0.97;
/** What one look at the clock should last at least, in milliseconds, and how often a kernel runs for that at most. */
const LOOK_MS = 1;
const MOST_RUNS = 64;
const ROUNDS = 7;
/** A device that has been idle runs at a fraction of its speed for so many milliseconds of work: an H100 at a fifth, for 400. */
const WAKE_MS = 500;
const MOST_WAKING_ROUNDS = 200;
/** More memory than this is not taken for a trial. */
const MOST_BYTES = 1 << 30;

export class Trial implements Runnable {
  readonly settled: Promise<void>;
  /** What was found; absent until then, and where nothing could be measured. */
  outcome: Outcome | undefined;
  private chosen: number | undefined;

  /** `measured` gives the milliseconds of each candidate. The first candidate is taken where it cannot. */
  constructor(
    private readonly candidates: readonly [Candidate, ...Candidate[]],
    measured: () => Promise<Outcome['ms'] | undefined>,
  ) {
    this.settled = Promise.all(candidates.map((c) => c.pipeline.settled))
      .then(measured)
      .catch(() => undefined)
      .then((ms) => this.decide(ms));
  }

  /** The place of the candidate that runs, or would now. */
  get fastest(): number {
    return this.chosen ?? 0;
  }
  get isSettled(): boolean {
    return this.chosen !== undefined;
  }
  get handle(): GPUComputePipeline | undefined {
    return this.isSettled ? this.pipeline.handle : undefined;
  }
  get refusal(): string | undefined {
    return this.pipeline.refusal;
  }
  get form() {
    return this.pipeline.form;
  }
  private get pipeline(): Pipeline {
    return (this.candidates[this.fastest] ?? this.candidates[0]).pipeline;
  }

  /** Has the first that may be had, now, without waiting for the others. */
  compile(): void {
    if (this.isSettled) return;
    const able = this.candidates.findIndex((c) => c.pipeline.refusal === undefined);
    this.chosen = Math.max(0, able);
    this.pipeline.compile();
  }

  bind(...args: Parameters<Pipeline['bind']>): GPUBindGroup {
    return this.pipeline.bind(...args);
  }

  private decide(ms: Outcome['ms'] | undefined): void {
    if (this.isSettled) return;
    const able = this.candidates.flatMap((c, i) => (c.pipeline.handle ? [i] : []));
    this.chosen = ms ? fastestOf(ms) : (able[0] ?? 0);
    // Where only one can run there is nothing to measure.
    if (ms ?? able.length === 1) this.outcome = { fastest: this.chosen, ms: ms ?? this.candidates.map(() => undefined) };
  }
}

/** The first, unless it was refused or another is clearly faster. */
export function fastestOf(ms: Outcome['ms']): number {
  const [first = Infinity] = ms;
  const best = Math.min(...ms.map((t) => t ?? Infinity));
  return best < MARGIN * first ? ms.indexOf(best) : 0;
}

export interface Conditions {
  /** Of what the candidates bind. */
  readonly bytes: readonly number[];
  /** Bytes that may be taken. */
  readonly room: number;
  /** Whether the device may have had nothing to do for a while. */
  readonly isIdle: boolean;
}

/** Milliseconds of each candidate on buffers of so many bytes; undefined where that is too much. */
export async function timed(
  device: GPUDevice,
  candidates: readonly Candidate[],
  { bytes, room, isIdle }: Conditions,
): Promise<Outcome['ms'] | undefined> {
  const total = bytes.reduce((sum, n) => sum + n, 0);
  if (total > Math.min(MOST_BYTES, room)) return undefined;
  device.pushErrorScope('out-of-memory');
  const buffers = bytes.map((size) => ({
    buffer: device.createBuffer({
      size: Math.max(16, Math.ceil(size / 16) * 16),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM,
    }),
  }));
  try {
    if (await device.popErrorScope()) return undefined;
    const able = candidates.filter((c) => c.pipeline.handle);
    if (able.length < 2) return undefined;
    const look = lookOn(device, buffers);
    let last: ReadonlyMap<Candidate, number> = new Map();
    const round = async () => {
      const before = last;
      const runs = (c: Candidate) => Math.max(1, Math.min(MOST_RUNS, Math.ceil(LOOK_MS / (before.get(c) ?? LOOK_MS))));
      const often = new Map(able.map((c) => [c, runs(c)]));
      const took = await look(often);
      last = new Map([...took].map(([c, ms]) => [c, ms / (often.get(c) ?? 1)]));
      return [...took.values()].reduce((sum, ms) => sum + ms, 0);
    };
    await round();
    if (isIdle) for (let i = 0, spent = 0; i < MOST_WAKING_ROUNDS && spent < WAKE_MS; i++) spent += await round();
    const best = new Map(last);
    for (let i = 0; i < ROUNDS; i++) {
      await round();
      for (const [c, ms] of last) best.set(c, Math.min(best.get(c) ?? ms, ms));
    }
    return candidates.map((c) => best.get(c));
  } finally {
    for (const { buffer } of buffers) buffer.destroy();
  }
}

/** Runs each candidate some times in a pass of its own, all in one submit, and gives what their passes took. */
function lookOn(device: GPUDevice, buffers: readonly { readonly buffer: GPUBuffer }[]) {
  const groups = new Map<Candidate, GPUBindGroup>();
  return async (runs: ReadonlyMap<Candidate, number>): Promise<ReadonlyMap<Candidate, number>> => {
    const clock = new Clock<Candidate>(device);
    const encoder = device.createCommandEncoder();
    for (const [c, times] of runs) {
      const { handle } = c.pipeline;
      if (!handle) continue;
      const group = groups.get(c) ?? c.pipeline.groupOf(buffers);
      groups.set(c, group);
      const pass = encoder.beginComputePass({ timestampWrites: clock.writes(c) });
      pass.setPipeline(handle);
      pass.setBindGroup(0, group);
      for (let i = 0; i < times; i++) pass.dispatchWorkgroups(...gridOf(c.workgroups));
      pass.end();
    }
    device.queue.submit([encoder.finish()]);
    return new Map((await clock.read()).map(({ tag, ms }) => [tag, ms]));
  };
}
