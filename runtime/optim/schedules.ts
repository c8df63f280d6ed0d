/**
 * @file Schedules: learning rates that change with time. In: an optimiser. Out: `step()` after each epoch (or each batch) sets
 * the learning rate of every group. All are functions of how many steps were taken, so they can be saved as one number.
 */
import { JitLensError } from '../errors.ts';
import type { Optimizer } from './optimizer.ts';

type AnyOptimizer = Pick<Optimizer, 'paramGroups'>;

/** Learning rates by a function of the steps taken, the rate that a group started with, and the group's number. */
export class LRScheduler {
  private readonly baseLrs: readonly number[];
  private taken = 0;

  constructor(
    private readonly optimizer: AnyOptimizer,
    private readonly lrAt: (taken: number, baseLr: number, group: number) => number,
  ) {
    this.baseLrs = optimizer.paramGroups.map(({ lr }) => lr);
    this.set();
  }

  step(): void {
    this.taken++;
    this.set();
  }

  /** The learning rates of the groups, as they are now. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map(({ lr }) => lr);
  }

  stateDict(): { readonly taken: number } {
    return { taken: this.taken };
  }

  loadStateDict({ taken }: { readonly taken: number }): void {
    this.taken = taken;
    this.set();
  }

  private set(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const base = this.baseLrs[i];
      if (base !== undefined) group.lr = this.lrAt(this.taken, base, i);
    });
  }
}

/** The first learning rate times `lambda(steps taken)`. */
export class LambdaLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, lambda: (taken: number) => number) {
    super(optimizer, (t, base) => base * lambda(t));
  }
}

/** Times `gamma` (0.1) every `stepSize` steps. */
export class StepLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, { stepSize, gamma = 0.1 }: { readonly stepSize: number; readonly gamma?: number }) {
    super(optimizer, (t, base) => base * gamma ** Math.floor(t / stepSize));
  }
}

/** Times `gamma` at every step. */
export class ExponentialLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, { gamma }: { readonly gamma: number }) {
    super(optimizer, (t, base) => base * gamma ** t);
  }
}

/** Half a cosine wave, from the first learning rate to `etaMin` (0) in `tMax` steps, and back (Loshchilov and Hutter, 2017). */
export class CosineAnnealingLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, { tMax, etaMin = 0 }: { readonly tMax: number; readonly etaMin?: number }) {
    super(optimizer, (t, base) => between(base, etaMin, t / tMax, 'cos'));
  }
}

export interface LinearOptions {
  /** Default 1/3. */
  readonly startFactor?: number;
  /** Default 1. */
  readonly endFactor?: number;
  /** Steps from one to the other. Default 5. */
  readonly totalIters?: number;
}

/** Warm-up: the first learning rate times a factor that goes from one number to another in a line, then stays. */
export class LinearLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, { startFactor = 1 / 3, endFactor = 1, totalIters = 5 }: LinearOptions = {}) {
    super(optimizer, (t, base) => base * between(startFactor, endFactor, Math.min(1, t / totalIters), 'linear'));
  }
}

export interface OneCycleOptions {
  readonly maxLr: number;
  readonly totalSteps: number;
  /** Share of the steps that go up. Default 0.3. */
  readonly pctStart?: number;
  /** Default cos. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** By how much less than `maxLr` it starts. Default 25. */
  readonly divFactor?: number;
  /** By how much less than that it ends. Default 1e4. */
  readonly finalDivFactor?: number;
}

/** Up to `maxLr`, then down to next to nothing (Smith and Topin, “Super-convergence”, 2018). Momentum stays as it is. */
export class OneCycleLR extends LRScheduler {
  constructor(optimizer: AnyOptimizer, options: OneCycleOptions) {
    const { maxLr, totalSteps, pctStart = 0.3, annealStrategy = 'cos', divFactor = 25, finalDivFactor = 1e4 } = options;
    const [start, top, end] = [maxLr / divFactor, pctStart * totalSteps - 1, totalSteps - 1];
    super(optimizer, (t) => {
      if (t > end) {
        throw new JitLensError('JLT-OPTIM', `OneCycleLR: step ${t} of ${totalSteps}`, 'Make the cycle as long as the training.');
      }
      if (t <= top && top > 0) return between(start, maxLr, t / top, annealStrategy);
      return between(maxLr, start / finalDivFactor, (t - top) / (end - top), annealStrategy);
    });
  }
}

function between(from: number, to: number, share: number, how: 'cos' | 'linear'): number {
  return how === 'cos' ? to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2 : from + (to - from) * share;
}

export interface PlateauOptions {
  /** Whether a smaller or a larger number is better. Default min. */
  readonly mode?: 'min' | 'max';
  /** Default 0.1. */
  readonly factor?: number;
  /** Steps without progress that are let pass. Default 10. */
  readonly patience?: number;
  /** Progress that counts: a share of the best (rel), or a difference to it (abs). Default 1e-4, rel. */
  readonly threshold?: number;
  readonly thresholdMode?: 'rel' | 'abs';
  /** Steps after a change in which nothing is counted. Default 0. */
  readonly cooldown?: number;
  /** Default 0. */
  readonly minLr?: number;
  /** A smaller change is not made. Default 1e-8. */
  readonly eps?: number;
}

/** Times `factor` when a measure has not become better for a while. */
export class ReduceLROnPlateau {
  private best: number;
  private badSteps = 0;
  private cooling = 0;

  constructor(
    private readonly optimizer: AnyOptimizer,
    private readonly options: PlateauOptions = {},
  ) {
    this.best = options.mode === 'max' ? -Infinity : Infinity;
  }

  /** Takes the latest value of the measure: a number, so wait for it with `await loss.item()`. */
  step(metric: number): void {
    const { patience = 10, cooldown = 0 } = this.options;
    if (this.isBetter(metric)) [this.best, this.badSteps] = [metric, 0];
    else this.badSteps++;
    if (this.cooling > 0) [this.cooling, this.badSteps] = [this.cooling - 1, 0];
    if (this.badSteps <= patience) return;
    this.reduce();
    [this.cooling, this.badSteps] = [cooldown, 0];
  }

  stateDict(): { readonly best: number; readonly badSteps: number; readonly cooling: number } {
    return { best: this.best, badSteps: this.badSteps, cooling: this.cooling };
  }

  loadStateDict({
    best,
    badSteps,
    cooling,
  }: {
    readonly best: number;
    readonly badSteps: number;
    readonly cooling: number;
  }): void {
    [this.best, this.badSteps, this.cooling] = [best, badSteps, cooling];
  }

  private isBetter(metric: number): boolean {
    const { mode = 'min', threshold = 1e-4, thresholdMode = 'rel' } = this.options;
    const sign = mode === 'min' ? -1 : 1;
    const bound = thresholdMode === 'abs' ? this.best + sign * threshold : this.best * (1 + sign * threshold);
    return mode === 'min' ? metric < bound : metric > bound;
  }

  private reduce(): void {
    const { factor = 0.1, minLr = 0, eps = 1e-8 } = this.options;
    for (const group of this.optimizer.paramGroups) {
      const next = Math.max(group.lr * factor, minLr);
      if (group.lr - next > eps) group.lr = next;
    }
  }
}
