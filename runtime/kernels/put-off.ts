/**
 * @file Ops of a run that is recorded, put off: what is wanted of it is its graph, and often nothing else. In: calls. Out: tensors
 * without memory. All of it is run, op by op, as soon as one of them is read, or before anything from outside changes that it
 * reads: so nobody can tell, but by the time that it took. Once the code writes to memory from outside nothing is put off any more.
 */
import type { Attributes, OpSpec } from '../ops/spec.ts';
import type { Later, Operand } from '../tensor/backend.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { GpuBackend } from './eager.ts';
import { memoryOf, type GpuStorage } from './storage.ts';

interface Call {
  readonly op: OpSpec;
  readonly inputs: readonly Operand[];
  readonly attributes: Attributes;
  readonly out: Tensor;
}

export class PutOff implements Later {
  private readonly calls: Call[] = [];
  /** How many of its storages may still be asked for. */
  private wanted = 0;
  /** The call that comes next, where one of them found no memory. */
  private next = 0;
  private state: 'open' | 'running' | 'over' = 'open';
  private readonly self = new WeakRef(this);

  constructor(readonly backend: GpuBackend) {}

  get isOpen(): boolean {
    return this.state === 'open';
  }

  allocate(dtype: DType, shape: Shape): GpuStorage {
    if (!this.isOpen) return this.backend.allocate(dtype, shape);
    this.wanted++;
    return this.backend.withoutMemory(dtype, shape, this);
  }

  execute(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
    const isOwn = memoryOf(out).computedBy === this;
    if (!isOwn) this.run();
    if (!this.isOpen) return this.backend.execute(op, inputs, attributes, out);
    for (const x of inputs) if (typeof x === 'object') this.reads(memoryOf(x));
    this.calls.push({ op, inputs, attributes, out });
  }

  private reads(storage: GpuStorage): void {
    storage.checkLive();
    if (storage.computedBy === this) return;
    storage.computedBy?.run();
    storage.readBy(this.self);
  }

  /** Runs all that was put off; from then on nothing is. Errors: JLT-MEMORY, after which it can be tried again. */
  run(): void {
    if (!this.isOpen) return;
    this.state = 'running';
    try {
      for (; this.next < this.calls.length; this.next++) this.call(this.next);
      this.state = 'over';
    } finally {
      if (this.state === 'running') this.state = 'open';
    }
    for (const { out } of this.calls.splice(0)) memoryOf(out).giveBack();
  }

  private call(i: number): void {
    const call = this.calls[i];
    if (!call) return;
    memoryOf(call.out).fill();
    this.backend.execute(call.op, call.inputs, call.attributes, call.out);
  }

  /** One of its storages is not wanted any more. */
  letGo(): void {
    this.wanted--;
    if (this.wanted > 0) return;
    this.calls.length = 0;
    this.next = 0;
  }
}
