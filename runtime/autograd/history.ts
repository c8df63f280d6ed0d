/**
 * @file What gradients walk over: which op made which tensor from which. In: operands, and how their gradients follow from
 * those of the results. Out: a history, with a target for each result and one for each operand. A history that was walked
 * and freed lets go of all tensors, and refuses to be walked again.
 */
import { JitLensError } from '../errors.ts';
import { unwatch, watch, withOverwriteGuard, type Saved } from '../ops/saved.ts';
import type { Meta } from '../ops/spec.ts';
import type { DType } from '../tensor/dtype.ts';
import type { Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type Gradients = readonly (Tensor | undefined)[];

/** The gradients of the operands, from those of the results; one that is undefined is zero. */
export type Backward = (gradients: Gradients) => Gradients;

/** May give another gradient in place of the one that arrived. */
export type GradientHook = (gradient: Tensor) => Tensor | undefined;

/** Where a gradient arrives: at a result of an op, or at a tensor that no op made. */
export class Target {
  hooks: Set<GradientHook> | undefined;
  /** The tensor whose `.grad` is to hold the gradient although an op made it. */
  retained: Tensor | undefined;

  private constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    /** The op that made it, and which of that op's results it is. */
    public history: History | undefined,
    readonly result: number,
    public leaf: Tensor | undefined,
  ) {}

  /** From now on, what arrives at this leaf goes on to where `history` leads; that is older than all that was made from the leaf. */
  leadInto(history: History): void {
    this.history = history;
    this.leaf = undefined;
    history.results[0] = this;
  }

  static leaf(x: Tensor): Target {
    return new Target(x.shape, x.dtype, undefined, 0, x);
  }

  static result(history: History, result: number, { shape, dtype }: Meta): Target {
    const target = new Target(shape, dtype, history, result, undefined);
    history.results[result] = target;
    return target;
  }
}

export interface Kept {
  readonly saved: readonly Saved[];
  readonly backward: Backward;
  /** Whether `backward` runs code that is not JitLens's own. */
  readonly foreign?: boolean;
  /** Whether it can be walked as often as a leaf, since it holds nothing. */
  readonly lasting?: boolean;
}

let nextId = 0;

export class History {
  /** Grows with time: an op comes after all that its operands come from. */
  readonly id = nextId++;
  readonly results: Target[] = [];

  constructor(
    readonly name: string,
    /** One for each operand; undefined for one that needs no gradient. */
    private operands: readonly (Target | undefined)[],
    private kept: Kept | undefined,
  ) {}

  /** A history of one result that saves nothing but what `backward` holds. */
  static simple(name: string, operands: readonly (Target | undefined)[], of: Meta, backward: (g: Tensor) => Gradients) {
    const kept: Kept = { saved: [], backward: ([g]) => (g ? backward(g) : []) };
    return Target.result(new History(name, operands, kept), 0, of);
  }

  get targets(): readonly (Target | undefined)[] {
    return this.operands;
  }

  get freed(): boolean {
    return this.kept === undefined;
  }

  get foreign(): boolean {
    return this.kept?.foreign ?? false;
  }

  run(gradients: Gradients): Gradients {
    const kept = this.needed();
    return withOverwriteGuard(kept.saved, this.name, () => kept.backward(gradients));
  }

  /** What it holds, or an error when that is gone. */
  needed(): Kept {
    if (this.kept) return this.kept;
    throw new JitLensError(
      'JLT-GRAD',
      `a gradient goes a second time through ${this.name}, whose saved values went after the first time`,
      'Pass { retainGraph: true } to the backward() before this one, or compute the result anew.',
    );
  }

  free(): void {
    if (this.kept?.lasting) return;
    for (const [{ storage }, version] of this.kept?.saved ?? []) unwatch(storage, version);
    this.kept = undefined;
    this.operands = [];
  }
}

/** Whether a walk from here, that ends at `sources`, would come to what an earlier one freed. */
export function isWalked(from: Target, sources: ReadonlySet<Target>): boolean {
  const seen = new Set<Target>([from]);
  for (const target of seen) {
    if (sources.has(target)) continue;
    if (target.history?.freed) return true;
    for (const next of target.history?.targets ?? []) if (next) seen.add(next);
  }
  return false;
}

/** A tensor as it is now, for a gradient that will read it. */
export function save(x: Tensor): Saved {
  watch(x.storage);
  return [x, x.storage.version];
}
