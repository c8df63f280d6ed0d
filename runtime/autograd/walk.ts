/**
 * @file One walk over the tape. In: where it starts, with a gradient each, and the targets that are asked for. Out: the
 * gradient at each target. Every history is walked once, after all that depends on it; what it saved is freed on the way.
 */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { withGradMode } from '../ops/tape.ts';
import { formatShape, sameShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { History, Target } from './history.ts';
import { Transit } from './transit.ts';

export interface WalkOptions {
  /** Keeps what ops saved, for another walk. Default: as `createGraph`. */
  readonly retainGraph?: boolean;
  /** Records the gradients' own ops, so that they can be differentiated. */
  readonly createGraph?: boolean;
}

/** What a walk is for; all leaves when there is no goal. */
export interface Goal {
  readonly targets: ReadonlySet<Target>;
  /** Whether gradients stop at these targets. */
  readonly cut: boolean;
}

export interface Start {
  readonly target: Target;
  readonly gradient: () => Tensor;
}

export class Walk {
  readonly createGraph: boolean;
  private readonly retainGraph: boolean;
  private readonly gradients = new Map<Target, Tensor>();
  private readonly transit: Transit;
  /** Histories whose gradient leads to something that is asked for. */
  private readonly useful = new Set<History>();

  constructor(
    { createGraph = false, retainGraph = createGraph }: WalkOptions,
    private readonly goal?: Goal,
  ) {
    this.createGraph = createGraph;
    this.retainGraph = retainGraph;
    this.transit = new Transit(!createGraph && !activeRecorder());
  }

  /** Walks from `starts`, then gives what `finish` makes of the gradients. */
  run<T>(starts: readonly Start[], finish: () => T): T {
    const order = this.plan(starts.map(({ target }) => target));
    for (const history of order) history.needed();
    try {
      return withGradMode(this.createGraph, () => {
        this.transit.step(() => {
          for (const { target, gradient } of starts) this.flow(target, gradient());
        });
        for (const history of order) this.pass(history);
        return this.transit.outside([], finish);
      });
    } finally {
      this.transit.finish();
    }
  }

  /** The gradient of each leaf that was reached, after its hooks. */
  leaves(): [leaf: Tensor, gradient: Tensor][] {
    return [...this.gradients.keys()].flatMap((target) => {
      const g = target.leaf && this.settle(target);
      return target.leaf && g ? [[target.leaf, g] as [Tensor, Tensor]] : [];
    });
  }

  /** The gradient at a target of the goal. */
  gradientAt(target: Target): Tensor | undefined {
    const walked = target.history && this.useful.has(target.history);
    return walked || this.goal?.cut ? this.gradients.get(target) : this.settle(target);
  }

  /** The gradient in memory that is its own: whoever gets it may write it. */
  owned(g: Tensor): Tensor {
    return this.transit.owns(g) ? g : g.clone();
  }

  /** Says that a gradient is not needed any more. */
  letGo(g: Tensor): void {
    this.transit.letGo(g);
  }

  /** The histories to walk, latest first. */
  private plan(from: readonly Target[]): History[] {
    const seen = new Set<History>();
    const open: History[] = [];
    const visit = (target: Target | undefined): void => {
      const history = target?.history;
      if (!history || seen.has(history) || this.stopsAt(target)) return;
      seen.add(history);
      open.push(history);
    };
    from.forEach(visit);
    for (let next = open.pop(); next; next = open.pop()) next.targets.forEach(visit);
    const earliestFirst = [...seen].sort((a, b) => a.id - b.id);
    for (const history of earliestFirst) {
      if (!this.goal || history.freed || history.targets.some((t) => t && this.isUseful(t))) this.useful.add(history);
    }
    return earliestFirst.filter((history) => this.useful.has(history)).reverse();
  }

  private stopsAt(target: Target): boolean {
    return this.goal !== undefined && this.goal.cut && this.goal.targets.has(target);
  }

  private isUseful(target: Target): boolean {
    if (!this.goal || this.goal.targets.has(target)) return true;
    return target.history !== undefined && this.useful.has(target.history);
  }

  private pass(history: History): void {
    const gradients = history.results.map((target) => this.settle(target));
    if (gradients.some(Boolean)) {
      this.transit.step(() => {
        const given = history.foreign ? this.transit.outside(gradients, () => history.run(gradients)) : history.run(gradients);
        history.targets.forEach((target, i) => {
          const g = given[i];
          if (target && g && this.isUseful(target)) this.flow(target, fitted(g, target.shape, history.name).to(target.dtype));
        });
      });
    }
    for (const target of history.results) this.drop(target);
    if (!this.retainGraph) history.free();
  }

  private flow(target: Target, g: Tensor): void {
    const before = this.gradients.get(target);
    this.put(target, before ? before.add(g) : g);
  }

  private put(target: Target, g: Tensor): void {
    const before = this.gradients.get(target);
    this.gradients.set(target, g);
    this.transit.hold(g);
    if (before) this.transit.letGo(before);
  }

  private drop(target: Target): void {
    const g = this.gradients.get(target);
    if (!g || this.goal?.targets.has(target)) return;
    this.gradients.delete(target);
    this.transit.letGo(g);
  }

  /** The whole gradient at a target, after its hooks; a tensor that keeps its gradient gets it. */
  private settle(target: Target): Tensor | undefined {
    const arrived = this.gradients.get(target);
    if (!arrived) return undefined;
    let g = arrived;
    for (const hook of target.hooks ?? []) {
      const current = g;
      g = this.transit.outside([current], () => hook(current)) ?? current;
      if (!sameShape(g.shape, target.shape)) throw wrongShape('a hook', g.shape, target.shape);
    }
    if (g !== arrived) this.put(target, g);
    const { retained } = target;
    if (retained) this.transit.step(() => this.transit.outside([], () => (retained.grad = retained.grad?.add(g) ?? g.clone())));
    return g;
  }
}

function wrongShape(who: string, shape: Shape, wanted: Shape): JitLensError {
  return new JitLensError(
    'JLT-GRAD',
    `${who} gave a gradient of shape ${formatShape(shape)} for a tensor of shape ${formatShape(wanted)}`,
    'A gradient has the shape of its tensor.',
  );
}

/** A gradient summed over the dims in which its tensor was broadcast. */
function fitted(g: Tensor, shape: Shape, name: string): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const skip = g.rank - shape.length;
  const fits = skip >= 0 && shape.every((size, d) => size === 1 || size === g.shape[d + skip]);
  if (!fits) throw wrongShape(`the gradient of ${name}`, g.shape, shape);
  const dims = g.shape.flatMap((size, d) => (d < skip || (shape[d - skip] === 1 && size !== 1) ? [d] : []));
  const summed = dims.length > 0 ? g.sum({ dim: dims, keepdim: true }) : g;
  return summed.reshape(shape);
}
