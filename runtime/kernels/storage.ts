/**
 * @file The memory of a tensor on a GPU. In: what it is for. Out: a buffer, which goes back to the pool when nothing holds the
 * storage any more. The buffer may come later than the storage: when somebody asks for what was put off.
 */
import { invariant, JitLensError } from '../errors.ts';
import type { PooledBuffer } from '../device/buffers.ts';
import type { Gpu } from '../device/gpu.ts';
import { dtypes, type DType } from '../tensor/dtype.ts';
import { formatShape, numel, type Shape } from '../tensor/shape.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { GpuBackend } from './eager.ts';
import type { PutOff } from './put-off.ts';

/** What a storage shares with the registry that gives its buffer back when nothing holds the storage any more. */
export interface Held {
  buffer: PooledBuffer | undefined;
}

export class GpuStorage implements Storage {
  version = 0;
  readonly length: number;
  private isReleased = false;
  /** Work that was put off and reads this memory as it is. Held weakly: if nobody holds what it gives, it need not run. */
  private readers: Set<WeakRef<PutOff>> | undefined;

  constructor(
    readonly backend: GpuBackend,
    readonly dtype: DType,
    private readonly shape: Shape,
    private readonly held: Held,
    /** What computes its elements, when they are asked for. */
    readonly computedBy?: PutOff,
  ) {
    this.length = numel(shape);
  }

  get buffer(): PooledBuffer {
    if (!this.held.buffer) this.checkLive();
    if (!this.held.buffer) this.computedBy?.run();
    return invariant(this.held.buffer, 'what was put off has run');
  }

  /** Errors: JLT-DISPOSED. */
  checkLive(): void {
    if (this.isReleased) throw new JitLensError('JLT-DISPOSED', 'this tensor was disposed of', 'Read it before dispose().');
  }

  /** Takes memory, if it has none yet. Errors: JLT-MEMORY. */
  fill(): void {
    const { dtype, shape, length } = this;
    this.held.buffer ??= this.backend.gpu.buffer(
      length * dtypes[dtype].bytes,
      () => `a ${dtype} tensor of shape ${formatShape(shape)}`,
    );
  }

  /** From now on such work is run before this memory changes or goes. */
  readBy(reader: WeakRef<PutOff>): void {
    (this.readers ??= new Set()).add(reader);
  }

  /** To be called before its elements change. */
  settle(): void {
    if (!this.readers) return;
    const { readers } = this;
    this.readers = undefined;
    for (const reader of readers) reader.deref()?.run();
  }

  release(): void {
    if (this.isReleased) return;
    this.settle();
    this.isReleased = true;
    if (this.held.buffer) this.giveBack();
    else this.computedBy?.letGo();
  }

  /** Its buffer goes back to the pool, if it was released. */
  giveBack(): void {
    if (this.isReleased) giveBack(this.backend.gpu, this.held);
  }
}

export function giveBack(gpu: Gpu, held: Held): void {
  if (held.buffer) gpu.pool.give(held.buffer);
  held.buffer = undefined;
}

export function bufferOf(x: Tensor): PooledBuffer {
  return memoryOf(x).buffer;
}

export function memoryOf(x: Tensor): GpuStorage {
  return invariant(x.storage instanceof GpuStorage && x.storage, 'a tensor of a device with kernels');
}
