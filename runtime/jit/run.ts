/**
 * @file Replays a plan. In: a plan and the tensors of a call. Out: its output tensors; tensors that the code writes in
 * place are written. No op of the user's code runs here, and nothing waits. A call whose tensors lie where those of an earlier
 * one did finds its dispatches ready.
 */
import { invariant } from '../errors.ts';
import type { PooledBuffer } from '../device/buffers.ts';
import type { Dispatch } from '../device/gpu.ts';
import type { GpuBackend } from '../kernels/eager.ts';
import { bufferOf, memoryOf } from '../kernels/storage.ts';
import { countWrite } from '../ops/saved.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Plan } from './compile.ts';
import { frameOf, type Frame } from './frame.ts';

/** Sets of buffers whose dispatches are kept: calls whose results live on take turns between a few. */
const MOST_READY = 4;

interface Ready {
  readonly buffers: readonly PooledBuffer[];
  readonly dispatches: readonly Dispatch[];
}

export class Replay {
  private slots: readonly PooledBuffer[] | undefined;
  private readonly frame: Frame;
  /** The last call's first. */
  private readonly ready: Ready[] = [];

  constructor(
    readonly plan: Plan,
    private readonly backend: GpuBackend,
    /** For how long it holds the memory between its kernels. */
    private readonly holding: 'each run' | 'all runs' = 'all runs',
  ) {
    this.frame = frameOf(plan);
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    const { pool } = this.backend.gpu;
    const slots = this.slots ?? this.taken();
    if (this.holding === 'all runs') this.slots = slots;
    try {
      return this.runIn(slots, inputs);
    } finally {
      // What takes them next writes them behind this run; the next run gets the same.
      if (this.holding === 'each run') for (const slot of slots.toReversed()) pool.give(slot);
    }
  }

  private taken(): readonly PooledBuffer[] {
    const { gpu } = this.backend;
    return this.plan.memory.slots.map((bytes) => gpu.buffer(bytes, () => 'the intermediate tensors of a trace'));
  }

  private runIn(slots: readonly PooledBuffer[], inputs: readonly Tensor[]): Tensor[] {
    const { gpu } = this.backend;
    const { outside, results, bound, outputs, writes, passing } = this.frame;
    const tensors = outside.map(({ tensor, position, name }) => invariant(tensor ?? inputs[position ?? -1], `${name} is bound`));
    for (const { dtype, layout, form } of results)
      tensors.push(new Tensor(this.backend.allocate(dtype, layout.shape), layout, form));
    const at = (position: number): Tensor => invariant(tensors[position], 'a tensor of the call');
    const buffers = bound.map((position) => slots[position - tensors.length] ?? bufferOf(at(position)));
    for (const { target } of writes) memoryOf(at(target)).settle();
    for (const dispatch of this.dispatches(buffers)) gpu.dispatch(dispatch);
    for (const { target, from, bytes } of writes) {
      const tensor = at(target);
      if (from !== undefined) gpu.copy(bufferOf(at(from)), bufferOf(tensor), bytes);
      countWrite(tensor.storage);
    }
    const returned = outputs.map(({ of, layout, form }) => new Tensor(at(of).storage, layout, form));
    for (const position of passing) at(position).dispose();
    return returned;
  }

  /** One for each kernel. */
  private dispatches(buffers: readonly PooledBuffer[]): readonly Dispatch[] {
    const known = this.ready.findIndex((r) => r.buffers.every((b, i) => b === buffers[i]));
    const found = this.ready[known] ?? { buffers, dispatches: this.made(buffers) };
    if (known !== 0) {
      if (known > 0) this.ready.splice(known, 1);
      this.ready.unshift(found);
      if (this.ready.length > MOST_READY) this.ready.pop();
    }
    return found.dispatches;
  }

  private made(buffers: readonly PooledBuffer[]): Dispatch[] {
    return this.plan.kernels.map((planned, i) => ({
      pipeline: planned.pipeline,
      parameters: planned.kernel.text.parameters,
      // A trial's candidates bind the same; how many workgroups run is known when it is over.
      get workgroups() {
        return planned.kernel.text.workgroups;
      },
      buffers: (this.frame.bindings[i] ?? []).map((b) => invariant(buffers[b], 'a buffer for each binding')),
      offsets: planned.kernel.offsets,
      label: planned.name,
      floor: planned.floor,
    }));
  }
}
