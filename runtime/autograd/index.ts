/** @file Automatic differentiation. Importing it gives tensors `backward()`, hooks, and what says whether a gradient is wanted. */
import { JitLensError } from '../errors.ts';
import { isFloat } from '../tensor/dtype.ts';
import { Tensor } from '../tensor/tensor.ts';
import { backward, type BackwardOptions } from './backward.ts';
import type { GradientHook, Target } from './history.ts';
import { targetOf } from './tape.ts';

/** Takes a hook away again. */
export interface HookHandle {
  remove(): void;
}

declare module '../tensor/tensor.ts' {
  interface Tensor {
    /**
     * Adds the gradient of this tensor (one number, unless `gradient` is given) to `.grad` of all it was made from. What
     * the ops saved is freed, unless `retainGraph` or `createGraph` says otherwise. Errors: JL407 where a value that a
     * gradient needs was overwritten, JLT-GRAD for a second walk through what the first one freed.
     */
    backward(gradient?: Tensor, options?: BackwardOptions): void;
    /** Says whether a gradient is wanted for this tensor, which no op made. Returns it. */
    requiresGrad_(wanted?: boolean): this;
    /** Keeps the gradient of this tensor in `.grad` although an op made it. */
    retainGrad(): void;
    /** Calls `hook` with every gradient that arrives here; what it returns takes the gradient's place. */
    registerHook(hook: GradientHook): HookHandle;
    /** Whether no op made it, as far as gradients are concerned. */
    readonly isLeaf: boolean;
  }
}

function wantedTarget(x: Tensor, name: string): Target {
  const target = targetOf(x);
  if (target) return target;
  throw new JitLensError('JLT-GRAD', `${name} of a tensor whose gradient is not wanted`, 'Call requiresGrad_() on it first.');
}

const methods: Pick<Tensor, 'backward' | 'requiresGrad_' | 'retainGrad' | 'registerHook'> & ThisType<Tensor> = {
  backward(gradient, options) {
    backward(this, gradient, options);
  },
  requiresGrad_(wanted = true) {
    if (wanted && !isFloat(this.dtype)) {
      throw new JitLensError('JLT-DTYPE', `a tensor of ${this.dtype} has no gradient`, "Convert it first: to('float32').");
    }
    if (!wanted && !this.isLeaf) {
      throw new JitLensError(
        'JLT-LEAF',
        'requiresGrad_(false) on a tensor that an op made from one whose gradient is wanted',
        'Use detach() for a tensor that is cut off from how it was made.',
      );
    }
    this.requiresGrad = wanted;
    return this;
  },
  retainGrad() {
    const target = wantedTarget(this, 'retainGrad()');
    if (target.history) target.retained = this;
  },
  registerHook(hook) {
    const hooks = (wantedTarget(this, 'registerHook()').hooks ??= new Set());
    // A function may be registered twice.
    const own: GradientHook = (g) => hook(g);
    hooks.add(own);
    return { remove: () => void hooks.delete(own) };
  },
};
Object.assign(Tensor.prototype, methods);
Object.defineProperty(Tensor.prototype, 'isLeaf', {
  get(this: Tensor): boolean {
    return targetOf(this)?.history === undefined;
  },
});

export { checkpoint } from './checkpoint.ts';
export { customFunction, type CustomFunction } from './custom.ts';
export { grad, type BackwardOptions, type GradOptions } from './backward.ts';
export type { GradientHook } from './history.ts';
export { enableGrad, noGrad } from '../ops/tape.ts';
