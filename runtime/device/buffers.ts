/**
 * @file Device memory. In: sizes. Out: buffers, taken from those that were given back where one fits. Sizes are rounded
 * up to classes, so that what one op frees the next one can use.
 */
export interface PooledBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly size: number;
}

export interface MemoryUse {
  readonly liveBytes: number;
  readonly pooledBytes: number;
  readonly peakBytes: number;
}

export class BufferPool {
  private readonly free = new Map<number, PooledBuffer[]>();
  private nextId = 0;
  private live = 0;
  private pooled = 0;
  private peak = 0;

  constructor(private readonly device: GPUDevice) {}

  take(bytes: number): PooledBuffer {
    const size = sizeClass(bytes);
    const known = this.free.get(size)?.pop();
    if (known) this.pooled -= size;
    this.live += size;
    this.peak = Math.max(this.peak, this.live);
    return known ?? { id: this.nextId++, size, buffer: this.device.createBuffer({ size, usage: usage() }) };
  }

  give(buffer: PooledBuffer): void {
    const list = this.free.get(buffer.size);
    if (list) list.push(buffer);
    else this.free.set(buffer.size, [buffer]);
    this.live -= buffer.size;
    this.pooled += buffer.size;
  }

  get memory(): MemoryUse {
    return { liveBytes: this.live, pooledBytes: this.pooled, peakBytes: this.peak };
  }

  /** Counts the peak anew from what is live now. */
  resetPeak(): void {
    this.peak = this.live;
  }
}

const usage = () => GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;

/** Powers of two up to 64 KiB, then eighths of one: at most an eighth is wasted. */
export function sizeClass(bytes: number): number {
  const least = Math.max(256, bytes);
  const power = 2 ** Math.ceil(Math.log2(least));
  if (power <= 65536) return power;
  const step = power / 16;
  return Math.ceil(least / step) * step;
}
