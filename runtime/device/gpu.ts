/**
 * @file The GPU as kernels see it. In: pipelines, buffers, dispatches. Out: work on the queue, batched into one pass and
 * one submit until somebody waits. Order is kept: what is dispatched later sees what was dispatched before, and behind a
 * dispatch whose pipeline is still being compiled everything waits.
 */
import { JitLensError } from '../errors.ts';
import type { DeviceInfo, DeviceKind } from '../profile/model.ts';
import type { DeviceArray } from '../tensor/dtype.ts';
import { Backlog } from './backlog.ts';
import { BufferPool, parseSize, type PooledBuffer } from './buffers.ts';
import { Clock } from './clock.ts';
import { Collector } from './collector.ts';
import { withoutSpinning } from './nap.ts';
import { gridOf, MAX_GROUPS } from './grid.ts';
import { parameterRoom, Pipelines, type Runnable } from './pipelines.ts';
import { timed, Trial, type Candidate } from './trial.ts';

export type Workgroups = readonly [number, number, number];

export interface Dispatch {
  readonly pipeline: Runnable;
  readonly buffers: readonly PooledBuffer[];
  /** The bytes where the bindings begin, 0 where left out. */
  readonly offsets?: readonly number[];
  readonly parameters: Int32Array;
  readonly workgroups: number;
  /** What a clock files the time under. */
  readonly label: string;
  /** Microseconds that it takes at least, where that is known. */
  readonly floor?: number;
  /** The buffers as they are bound, once it has run: it may be put on the queue again. */
  group?: GPUBindGroup;
}

/** What a kernel's schedule is chosen for. */
export interface Target {
  readonly kind: DeviceKind;
  /** Bytes that the threads of a workgroup may share. */
  readonly workgroupMemory: number;
  /** Threads of a subgroup, where subgroups multiply matrices of halves and add up in float32. */
  readonly subgroup?: number;
}

/**
 * A batch is handed to the GPU although nobody waits yet after so many dispatches, or when they keep a GPU busy for longer than
 * a submit takes: few at first, so that an idle GPU has something to do, then twice as many each time, since a submit costs as
 * much as four dispatches.
 */
const FIRST_BATCH = 32;
const LARGEST_BATCH = 128;
/** Microseconds. */
const FIRST_WORK = 20;
const LARGEST_WORK = 640;
/** So soon after a trial a device still runs as fast as it can. */
const AWAKE_MS = 200;
/** Parameters of all dispatches in a batch. */
const PARAMETER_BYTES = 1 << 16;

export class Gpu {
  readonly pool: BufferPool;
  readonly pipelines: Pipelines;
  readonly maxStorageBuffers: number;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** The pipeline that the open pass has. */
  private bound: Runnable | undefined;
  /** Where the dispatch finds its parameters; as a list, which node-webgpu reads faster than a typed array. */
  private readonly offsets = [0];
  private pending = 0;
  private batch = FIRST_BATCH;
  private work = 0;
  private enough = FIRST_WORK;
  private readonly parameters: GPUBuffer;
  private readonly staged = new Int32Array(PARAMETER_BYTES / 4);
  private stagedBytes = 0;
  private clock: Clock<Dispatch> | undefined;
  private readonly collector: Collector;
  private readonly backlog = new Backlog((error) => (this.failure ??= refused(error)));
  private failure: JitLensError | undefined;
  private trials: Promise<unknown> = Promise.resolve();
  /** When the last trial was over. */
  private triedAt = -Infinity;
  /** Dispatches and submits since the start. */
  readonly count = { dispatches: 0, submits: 0 };

  constructor(
    readonly device: GPUDevice,
    readonly info: DeviceInfo,
    private readonly subgroup?: number,
  ) {
    this.pool = new BufferPool(device, memoryLimit(), (error) => {
      // What the device says next only follows from it.
      this.failure = error;
    });
    this.collector = new Collector(info.kind === 'gpu' ? 'gpu' : 'software');
    this.pipelines = new Pipelines(device);
    this.maxStorageBuffers = device.limits.maxStorageBuffersPerShaderStage;
    this.parameters = device.createBuffer({ size: PARAMETER_BYTES, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    device.onuncapturederror = (event) => (this.failure ??= refused(event.error.message));
    void device.lost.then((lost) => (this.failure ??= refused(`the device was lost: ${lost.message}`)));
  }

  get target(): Target {
    const { limits } = this.device;
    return {
      kind: this.info.kind,
      workgroupMemory: limits.maxComputeWorkgroupStorageSize,
      subgroup: this.subgroup,
    };
  }

  /** Whether kernels that may be the fastest are compared. `JITLENS_TRIALS=off` has the one taken that should be. */
  get compares(): boolean {
    return this.info.kind === 'gpu' && this.device.features.has('timestamp-query') && process.env['JITLENS_TRIALS'] !== 'off';
  }

  /** The fastest of kernels that compute the same, whose bindings are so large. Trials come one after the other. */
  fastest(candidates: readonly [Candidate, ...Candidate[]], bytes: readonly number[]): Trial {
    const { device, pool } = this;
    return new Trial(candidates, () => {
      const turn = this.trials.then(async () => {
        const isIdle = performance.now() - this.triedAt > AWAKE_MS;
        const ms = await timed(device, candidates, { bytes, room: pool.room, isIdle });
        this.triedAt = performance.now();
        return ms;
      });
      this.trials = turn.catch(() => undefined);
      return turn;
    });
  }

  /** A buffer for `what`. Where memory runs out, what is pooled is let go of; then there is an error, JLT-MEMORY. */
  buffer(bytes: number, what: () => string): PooledBuffer {
    const buffer = this.pool.take(bytes, what);
    if (buffer) return buffer;
    this.dropPooled();
    const again = this.pool.take(bytes, what);
    if (again) return again;
    throw this.pool.refusal(bytes, what());
  }

  /** Where much memory is live, waits until that of tensors which nobody holds is back. */
  collect(): Promise<void> {
    return this.collector.look(() => this.pool.memory.liveBytes);
  }

  /** Puts one dispatch on the queue. */
  dispatch(dispatch: Dispatch): void {
    const { pipeline, workgroups } = dispatch;
    this.count.dispatches++;
    if (pipeline.handle && this.backlog.isEmpty) return this.encode(dispatch, pipeline.handle);
    // What cannot be run is refused here, where it is called.
    gridOf(workgroups);
    this.inOrder(() => {
      if (pipeline.handle) this.encode(dispatch, pipeline.handle);
      else this.failure ??= refused(pipeline.refusal ?? '');
    }, pipeline);
  }

  /** Runs it when all that was asked for before has, and its pipeline is there; it may hold so many bytes until then. */
  private inOrder(run: () => void, pipeline?: Runnable, bytes?: number): void {
    if (this.backlog.isEmpty && pipeline?.isSettled !== false) run();
    else this.backlog.add({ run, pipeline }, bytes);
  }

  private encode(dispatch: Dispatch, handle: GPUComputePipeline): void {
    const { pipeline, buffers, offsets, parameters, workgroups } = dispatch;
    const room = parameterRoom(parameters.length);
    if (this.stagedBytes + room > this.staged.byteLength) this.submit();
    const offset = this.stagedBytes;
    this.staged.set(parameters, offset / 4);
    this.stagedBytes += room;
    const pass = this.openPass(dispatch);
    if (pipeline !== this.bound) pass.setPipeline(handle);
    this.bound = pipeline;
    const group = (dispatch.group ??= pipeline.bind(buffers, this.parameters, offsets));
    if (parameters.length > 0) {
      this.offsets[0] = offset;
      pass.setBindGroup(0, group, this.offsets);
    } else pass.setBindGroup(0, group);
    if (workgroups <= MAX_GROUPS) pass.dispatchWorkgroups(workgroups);
    else pass.dispatchWorkgroups(...gridOf(workgroups));
    if (this.clock) this.closePass();
    this.work += dispatch.floor ?? 0;
    if (++this.pending < this.batch && this.work < this.enough) return;
    this.submit();
    this.batch = Math.min(2 * this.batch, LARGEST_BATCH);
    this.enough = Math.min(2 * this.enough, LARGEST_WORK);
  }

  /** From now on the GPU is idle. */
  private startAnew(): void {
    this.batch = FIRST_BATCH;
    this.enough = FIRST_WORK;
  }

  /** Copies between buffers, in order with the dispatches around it. */
  copy(from: PooledBuffer, to: PooledBuffer, bytes: number): void {
    this.inOrder(() => this.encodeCopy(from.buffer, to.buffer, Math.ceil(bytes / 4) * 4));
  }

  private encodeCopy(from: GPUBuffer, to: GPUBuffer, bytes: number): void {
    this.closePass();
    this.encoder ??= this.device.createCommandEncoder();
    this.encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
  }

  private openPass(dispatch: Dispatch): GPUComputePassEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    const timestampWrites = this.clock?.writes(dispatch);
    this.pass ??= this.encoder.beginComputePass(timestampWrites ? { timestampWrites } : undefined);
    return this.pass;
  }

  private closePass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.bound = undefined;
  }

  /** Hands what is batched to the GPU. */
  flush(): void {
    this.inOrder(() => this.submit());
  }

  private submit(): void {
    this.closePass();
    if (!this.encoder) return;
    if (this.stagedBytes > 0) this.device.queue.writeBuffer(this.parameters, 0, this.staged, 0, this.stagedBytes / 4);
    this.stagedBytes = 0;
    this.device.queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
    this.pending = 0;
    this.work = 0;
    this.count.submits++;
  }

  upload(to: PooledBuffer, data: DeviceArray): void {
    if (data.byteLength === 0) return this.flush();
    // Whole words are written; an odd number of halves is filled up.
    const whole = data.byteLength % 4 === 0 ? data : Uint16Array.of(...data, 0);
    // Until it is written the caller may change what is his.
    const own = this.backlog.isEmpty ? whole : whole.slice();
    const write = () => {
      // A queue write overtakes commands that are still being batched, and they may read what this buffer held before.
      this.submit();
      this.device.queue.writeBuffer(to.buffer, 0, own as GPUAllowSharedBufferSource);
    };
    this.inOrder(write, undefined, own.byteLength);
  }

  async download(from: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    await this.submitted(async () => {
      this.encodeCopy(from.buffer, staging, size);
      this.submit();
      this.startAnew();
      await staging.mapAsync(GPUMapMode.READ);
    });
    try {
      this.check();
      return staging.getMappedRange().slice(0, bytes);
    } finally {
      staging.destroy();
    }
  }

  /** Resolves when all work so far is done; fails when the device refused some of it. */
  async sync(): Promise<void> {
    await this.submitted(async () => {
      this.submit();
      this.startAnew();
      await this.device.queue.onSubmittedWorkDone();
    });
    this.check();
  }

  /** Submits in order, and waits until it is done, or the device says that it never will be. */
  private async submitted(submit: () => Promise<void>): Promise<void> {
    try {
      await this.waited(new Promise<void>((resolve) => this.inOrder(() => resolve(submit()))));
    } catch (error) {
      // A device that is lost gives no reason here.
      this.failure ??= refused((error instanceof Error && error.message) || 'the device was lost');
    }
  }

  private waited<T>(wanted: Promise<T>): Promise<T> {
    return this.info.kind === 'software' ? withoutSpinning(wanted) : wanted;
  }

  private check(): void {
    if (this.failure === undefined) return;
    const reason = this.failure;
    this.failure = undefined;
    if (reason.code === 'JLT-MEMORY') this.dropPooled();
    throw reason;
  }

  /** Lets go of all pooled buffers, once nothing that is still to be submitted uses them. */
  private dropPooled(): void {
    this.backlog.settle();
    this.submit();
    this.pool.drop();
  }

  /** Times every dispatch of `body`, each in a pass of its own; undefined where the device has no timestamps. */
  async timed(body: () => Promise<void> | void): Promise<readonly { tag: Dispatch; ms: number }[] | undefined> {
    if (!this.device.features.has('timestamp-query')) {
      await body();
      return undefined;
    }
    const clock = new Clock<Dispatch>(this.device);
    await this.measureBy(clock);
    try {
      await body();
    } finally {
      await this.measureBy(undefined);
    }
    return this.waited(clock.read());
  }

  private measureBy(clock: Clock<Dispatch> | undefined): Promise<void> {
    return new Promise((resolve) =>
      this.inOrder(() => {
        this.submit();
        this.clock = clock;
        resolve();
      }),
    );
  }
}

function refused(reason: string): JitLensError {
  const [first = ''] = reason.trim().split('\n');
  return new JitLensError('JLR-GPU', `the device refused its work: ${first}`, 'Run `jitlens doctor`.');
}

/** What the device may hold, if `JITLENS_MEMORY` says so. */
function memoryLimit(): number | undefined {
  const text = process.env['JITLENS_MEMORY'];
  if (!text) return undefined;
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new JitLensError('JLR-DEVICE', `JITLENS_MEMORY is ‘${text}’`, 'Give a size such as 512M or 8G, or leave it unset.');
}
