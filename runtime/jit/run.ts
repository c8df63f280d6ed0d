/**
 * @file Replays a plan. In: a plan and the tensors of a call. Out: its output tensors; tensors that the code writes in
 * place are written. No op of the user's code runs here, and nothing waits.
 */
import { invariant } from '../errors.ts';
import type { PooledBuffer } from '../device/buffers.ts';
import type { ExternalNode, Node } from '../ir/graph.ts';
import { bufferOf, type GpuBackend } from '../kernels/eager.ts';
import { countWrite } from '../ops/saved.ts';
import { bytesOf } from '../passes/memory.ts';
import { contiguous } from '../tensor/layout.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { Plan } from './compile.ts';
import type { Place } from './places.ts';

export class Replay {
  private slots: readonly PooledBuffer[] | undefined;
  private readonly outside: readonly ExternalNode[];

  constructor(
    readonly plan: Plan,
    private readonly backend: GpuBackend,
    /** For how long it holds the memory between its kernels. */
    private readonly holding: 'each run' | 'all runs' = 'all runs',
  ) {
    this.outside = plan.recorded.nodes.filter((node) => node.kind === 'external');
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
    const { plan } = this;
    const { graph } = plan.fusion;
    const externals = this.externals(inputs);
    const results = plan.results.map(
      (node) => new Tensor(this.backend.allocate(node.meta.dtype, node.meta.shape), contiguous(node.meta.shape)),
    );
    const tensorOf = (node: ExternalNode) => invariant(externals.get(node), 'every tensor from outside is bound');
    const bufferAt = (place: Place): PooledBuffer => {
      if (place.kind === 'slot') return invariant(slots[place.slot], 'a slot has a buffer');
      return bufferOf(
        place.kind === 'external' ? tensorOf(place.node) : invariant(results[place.result], 'a result has a tensor'),
      );
    };
    for (const { pipeline, kernel, name, floor } of plan.kernels) {
      const { parameters, workgroups } = kernel.text;
      gpu.dispatch({
        pipeline,
        parameters,
        workgroups,
        buffers: kernel.storages.map(bufferAt),
        offsets: kernel.offsets,
        label: name,
        floor,
      });
    }
    const resultOf = (node: Node | undefined) =>
      invariant(node && results[plan.results.indexOf(node)], 'what is written and returned is a result');
    for (const { target, value } of graph.writes) {
      const tensor = tensorOf(target);
      if (!plan.inPlace.has(value)) gpu.copy(bufferOf(resultOf(value)), bufferOf(tensor), bytesOf(value));
      countWrite(tensor.storage);
    }
    const outputs = invariant(graph.returned, 'the graph says what is returned').map(
      ({ of, layout }) => new Tensor((typeof of === 'number' ? resultOf(graph.outputs[of]) : tensorOf(of)).storage, layout),
    );
    const returned = new Set(outputs.map((o) => o.storage));
    for (const result of results) if (!returned.has(result.storage)) result.dispose();
    return outputs;
  }

  private externals(inputs: readonly Tensor[]): Map<ExternalNode, Tensor> {
    const bound = new Map<ExternalNode, Tensor>();
    for (const node of this.outside) {
      const tensor = node.tensor ?? inputs[node.position ?? -1];
      bound.set(node, invariant(tensor, `${node.name} is bound`));
    }
    return bound;
  }
}
