/**
 * @file Memory of gradients on their way. In: steps of a walk, and which gradients wait for a later one. Out: what a step
 * made and nothing waits for is given back at once. What code outside JitLens has seen is never given back here; nor is
 * anything while a trace is recorded or gradients are themselves recorded, for then others hold it.
 */
import { currentScope, inScope, type Scope } from '../tensor/scope.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';

export class Transit {
  private readonly outer = currentScope();
  /** Memory that the walk made and answers for. */
  private readonly made: Scope = new Set();
  private readonly waiting = new Map<Storage, number>();

  constructor(private readonly givesBack: boolean) {}

  /** Runs a piece of the walk; afterwards, what it made and did not hold is gone. */
  step<T>(body: () => T): T {
    const fresh: Scope = new Set();
    try {
      return inScope(fresh, body);
    } finally {
      for (const storage of fresh) {
        if (this.waiting.has(storage)) this.made.add(storage);
        else this.giveBack(storage);
      }
    }
  }

  /** Runs code that is not JitLens's own on gradients; from now on they are not ours to give back. */
  outside<T>(gradients: readonly (Tensor | undefined)[], body: () => T): T {
    for (const g of gradients) {
      if (g && this.made.delete(g.storage)) this.outer?.add(g.storage);
    }
    return inScope(this.outer, body);
  }

  hold({ storage }: Tensor): void {
    this.waiting.set(storage, (this.waiting.get(storage) ?? 0) + 1);
  }

  letGo({ storage }: Tensor): void {
    const left = (this.waiting.get(storage) ?? 0) - 1;
    if (left > 0) return void this.waiting.set(storage, left);
    this.waiting.delete(storage);
    if (this.made.delete(storage)) this.giveBack(storage);
  }

  /** Whether nobody else can have this memory, and it is all this tensor's. */
  owns(x: Tensor): boolean {
    const { storage } = x;
    return this.made.has(storage) && this.waiting.get(storage) === 1 && storage.length === x.numel && x.isContiguous();
  }

  /** What is left belongs to whoever started the walk. */
  finish(): void {
    for (const storage of this.made) this.outer?.add(storage);
  }

  private giveBack(storage: Storage): void {
    if (this.givesBack) storage.release();
    else this.outer?.add(storage);
  }
}
