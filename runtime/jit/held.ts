/**
 * @file Tensors that traced code holds. In: a recorded graph and the tensors of the call that it was recorded from. Out:
 * whether a later call is alike: the module has the same parameters and buffers, modules that the code asked whether they train
 * would say the same, and the arguments share memory with what the code holds exactly where they did.
 */
import type { Graph } from '../ir/graph.ts';
import type { Module } from '../nn/module.ts';
import type { Moded } from '../ops/recorder.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Recompile } from './trace.ts';

const tensorsOf = (module: Module | undefined) => module?.namedTensors() ?? [];

/** Memory of the tensors that a graph takes from the code, with their names. */
export function heldBy(recorded: Graph): Map<Storage, string> {
  const storages = new Map<Storage, string>();
  for (const node of recorded.nodes)
    if (node.kind === 'external' && node.tensor && !node.made) storages.set(node.tensor.storage, node.name);
  return storages;
}

export class Held {
  private readonly own: readonly Tensor[];
  private readonly storages: ReadonlyMap<Storage, string>;
  private readonly sharing: string;

  constructor(
    private readonly module: Module | undefined,
    held: ReadonlyMap<Storage, string>,
    inputs: readonly Tensor[],
    private readonly modes: ReadonlyMap<Moded, { readonly training: boolean }>,
  ) {
    this.own = tensorsOf(module).map(([, x]) => x);
    this.storages = held;
    this.sharing = this.sharingOf(inputs);
  }

  /** What is not as it was, for a call with these tensors. */
  difference(inputs: readonly Tensor[]): Recompile | undefined {
    const sharing = this.sharingOf(inputs);
    if (sharing !== this.sharing) return { guard: 'memory shared with what the code holds', was: this.sharing, now: sharing };
    return this.change();
  }

  /** What is not as it was, whatever the call. */
  change(): Recompile | undefined {
    for (const [asked, { training }] of this.modes) {
      if (asked.training === training) continue;
      const [was = '', is = ''] = training ? ['train', 'eval'] : ['eval', 'train'];
      return { guard: `training mode of a ${asked.constructor.name}`, was, now: is };
    }
    if (!this.module) return undefined;
    const now = tensorsOf(this.module);
    const at = now.findIndex(([, x], i) => x !== this.own[i]);
    if (at < 0 && now.length === this.own.length) return undefined;
    const name = now[at]?.[0] ?? String(now.length);
    return { guard: 'parameters of the module', was: 'as traced', now: `another ${name}` };
  }

  private sharingOf(inputs: readonly Tensor[]): string {
    let shared = '';
    inputs.forEach((x, i) => {
      const name = this.storages.get(x.storage);
      if (name !== undefined) shared += `${shared && ', '}tensor ${i} with ${name}`;
    });
    return shared || 'none';
  }
}
