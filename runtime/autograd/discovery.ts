/**
 * @file What a piece of code depends on. In: every op that runs while it is the active one; no history is made. Out: the
 * tensors from outside whose gradient is wanted and that the code read, and which tensors it made from them.
 */
import { JitLensError } from '../errors.ts';
import { currentScope, inScope, type Scope } from '../tensor/scope.ts';
import type { Storage } from '../tensor/storage.ts';
import { Tensor } from '../tensor/tensor.ts';

let active: Discovery | undefined;

export function activeDiscovery(): Discovery | undefined {
  return active;
}

export class Discovery {
  readonly sources = new Set<Tensor>();
  private readonly own = new WeakSet<Tensor>();
  private readonly dependent = new Set<Storage>();
  /** Memory that the code took. */
  readonly made: Scope = new Set();
  private readonly outer = active;

  /** `isWanted` says of a tensor from outside whether its gradient is wanted. */
  constructor(private readonly isWanted: (x: Tensor) => boolean) {}

  /** Whether the code made it from what it depends on. */
  gave(x: Tensor): boolean {
    return this.own.has(x) || (this.made.has(x.storage) && this.dependent.has(x.storage));
  }

  beforeWrite(name: string, target: Tensor, operands: readonly unknown[]): void {
    if (this.made.has(target.storage) || !operands.some((x) => x instanceof Tensor && (this.gave(x) || this.isSource(x)))) return;
    throw new JitLensError(
      'JLT-GRAD',
      `${name} in a checkpoint writes into a tensor from outside, and the second run would write it again`,
      'Use the out-of-place form, or clone() the tensor inside first.',
    );
  }

  hear(operands: readonly unknown[], results: readonly Tensor[]): void {
    let depends = false;
    for (const x of operands) {
      if (!(x instanceof Tensor)) continue;
      const isSource = !this.gave(x) && this.isSource(x);
      if (isSource) this.sources.add(x);
      depends ||= isSource || this.gave(x);
    }
    if (!depends) return;
    for (const x of results) {
      this.own.add(x);
      this.dependent.add(x.storage);
      x.requiresGrad = true;
    }
  }

  private isSource(x: Tensor): boolean {
    return this.isWanted(x) || (this.outer?.gave(x) ?? false);
  }
}

/** Runs code for `found` to hear. */
export function discovering<T>(found: Discovery, body: () => T): T {
  const [outer, around] = [active, currentScope()];
  active = found;
  try {
    return inScope(found.made, body);
  } finally {
    active = outer;
    for (const storage of found.made) around?.add(storage);
  }
}
