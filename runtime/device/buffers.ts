/**
 * @file Device memory. In: sizes. Out: buffers, taken from those that were given back where one fits. Sizes are rounded
 * up to classes, so that what one op frees the next one can use. Where a limit is known, it is never passed.
 */
import { JitLensError } from '../errors.ts';

export interface PooledBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly size: number;
}

export interface MemoryUse {
  /** Held by tensors and traces. */
  readonly liveBytes: number;
  /** Given back, kept for what comes next. */
  readonly pooledBytes: number;
  /** The most that was live at once. */
  readonly peakBytes: number;
  /** What may be held in all: `JITLENS_MEMORY`, or what the device turned out to have. Absent while unknown. */
  readonly limitBytes?: number;
}

/** Smaller buffers are not watched: watching costs a round trip through the driver's error queue. */
const WATCHED = 1 << 20;

export class BufferPool {
  private readonly free = new Map<number, PooledBuffer[]>();
  private readonly refused = new WeakSet<PooledBuffer>();
  private nextId = 0;
  private live = 0;
  private pooled = 0;
  private peak = 0;

  /** `onRefused` hears, some time later, that the device had no memory for a buffer. */
  constructor(
    private readonly device: GPUDevice,
    private limit = Infinity,
    private readonly onRefused: (error: JitLensError) => void = () => undefined,
  ) {}

  /** A buffer of at least `bytes`; undefined where that would pass the limit even with nothing pooled. */
  take(bytes: number, what: () => string): PooledBuffer | undefined {
    const size = sizeClass(bytes);
    const known = this.free.get(size)?.pop();
    if (known) this.pooled -= size;
    else if (this.live + this.pooled + size > this.limit) return undefined;
    this.live += size;
    this.peak = Math.max(this.peak, this.live);
    return known ?? this.make(size, what);
  }

  private make(size: number, what: () => string): PooledBuffer {
    const watched = size >= WATCHED;
    if (watched) this.device.pushErrorScope('out-of-memory');
    const made = { id: this.nextId++, size, buffer: this.device.createBuffer({ size, usage: usage() }) };
    if (watched) {
      const error = this.refusal(size, what());
      void this.device.popErrorScope().then((problem) => {
        if (!problem) return;
        // What was there before this buffer is what the device can hold.
        this.limit = Math.min(this.limit, this.live + this.pooled - size);
        this.discard(made);
        this.onRefused(error);
      });
    }
    return made;
  }

  /** A buffer that the device refused is never handed out again. */
  private discard(buffer: PooledBuffer): void {
    this.refused.add(buffer);
    const list = this.free.get(buffer.size);
    const at = list?.indexOf(buffer) ?? -1;
    if (!list || at < 0) return;
    list.splice(at, 1);
    this.pooled -= buffer.size;
  }

  give(buffer: PooledBuffer): void {
    this.live -= buffer.size;
    if (this.refused.has(buffer)) return;
    const list = this.free.get(buffer.size);
    if (list) list.push(buffer);
    else this.free.set(buffer.size, [buffer]);
    this.pooled += buffer.size;
  }

  /** Lets go of all that is pooled. Commands that use it must have been submitted. */
  drop(): void {
    for (const list of this.free.values()) for (const { buffer } of list) buffer.destroy();
    this.free.clear();
    this.pooled = 0;
  }

  /** Bytes that could be had besides. */
  get room(): number {
    return this.limit - this.live - this.pooled;
  }

  /** Why `bytes` more for `what` cannot be had. */
  refusal(bytes: number, what: string): JitLensError {
    const { liveBytes, limitBytes } = this.memory;
    const left =
      limitBytes === undefined ? '' : `; of ${sizeText(limitBytes)} there are ${sizeText(limitBytes - liveBytes)} left`;
    return new JitLensError(
      'JLT-MEMORY',
      `no memory for ${what}, which needs ${sizeText(bytes)}: ${sizeText(liveBytes)} are held by tensors${left}`,
      'Dispose of tensors, run steps inside scope(() => …), or use smaller batches.',
    );
  }

  get memory(): MemoryUse {
    const use = { liveBytes: this.live, pooledBytes: this.pooled, peakBytes: this.peak };
    return this.limit === Infinity ? use : { ...use, limitBytes: this.limit };
  }

  /** Counts the peak anew from what is live now. */
  resetPeak(): void {
    this.peak = this.live;
  }
}

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Powers of two up to 64 KiB, then eighths of one: at most an eighth is wasted. */
export function sizeClass(bytes: number): number {
  const least = Math.max(256, bytes);
  const power = 2 ** Math.ceil(Math.log2(least));
  if (power <= 65536) return power;
  const step = power / 16;
  return Math.ceil(least / step) * step;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size as a person reads it. */
export function sizeText(bytes: number): string {
  const unit = Math.max(0, Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${Number((bytes / 1024 ** unit).toFixed(1))} ${UNITS[unit] ?? ''}`;
}

/** Bytes that a setting such as `512M` or `8G` names; undefined when it names none. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  return digits === undefined ? undefined : Number(digits) * 1024 ** ' KMGT'.indexOf(unit.toUpperCase() || ' ');
}
