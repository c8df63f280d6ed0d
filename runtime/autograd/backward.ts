/**
 * @file Gradients. In: results and what they were made from. Out: the gradient of each, by walking the tape from the latest
 * op to the earliest; no recursion, so a chain may be as long as it likes. Gradients are made of ops, so they can be
 * recorded in a trace, and differentiated again with `createGraph`.
 */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { full } from '../tensor/create.ts';
import { keepStorage } from '../tensor/scope.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { targetOf } from './tape.ts';
import { Walk, type Start, type WalkOptions } from './walk.ts';

export type BackwardOptions = WalkOptions;

export interface GradOptions extends WalkOptions {
  /** What each output's gradient starts from; 1 when it is left out, for outputs of one number. */
  readonly gradOutputs?: readonly (Tensor | undefined)[];
}

/** Adds the gradient of `output` (a single number unless `gradient` is given) to `.grad` of every leaf it was made from. */
export function backward(output: Tensor, gradient?: Tensor, options: BackwardOptions = {}): void {
  const walk = new Walk(options);
  walk.run(seeds([output], [gradient]), () => {
    const leaves = walk.leaves();
    for (const [leaf] of leaves) refuseOldGradient(leaf);
    for (const [leaf, g] of leaves) {
      const before = leaf.heldGrad;
      if (!before) leaf.leaveGrad(walk.owned(g));
      else if (walk.createGraph || before.requiresGrad) leaf.grad = before.add(g);
      else before.add_(g);
      const { heldGrad } = leaf;
      if (heldGrad) keepStorage(heldGrad.storage);
      if (heldGrad !== g) walk.letGo(g);
    }
  });
}

/** A trace would add to the gradient that is there now, at every later call. */
function refuseOldGradient(leaf: Tensor): void {
  if (!leaf.heldGrad || (activeRecorder()?.knows(leaf.heldGrad) ?? true)) return;
  throw new JitLensError(
    'JL605',
    'backward() in a traced function would add to a gradient from before the trace',
    'Clear gradients inside the traced function first: x.grad = undefined, or optimizer.zeroGrad().',
  );
}

/**
 * The gradients of the sum of `outputs` for each of `inputs`; undefined for one that they do not depend on. Only ops
 * between the two are walked.
 */
export function grad(outputs: readonly Tensor[], inputs: readonly Tensor[], options: GradOptions = {}): (Tensor | undefined)[] {
  return walked(outputs, inputs, options, false);
}

/** As `grad`, with inputs taken as given: no gradient flows through one of them to another. */
export function gradUpTo(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions = {},
): (Tensor | undefined)[] {
  return walked(outputs, inputs, options, true);
}

function walked(outputs: readonly Tensor[], inputs: readonly Tensor[], options: GradOptions, cut: boolean) {
  const targets = inputs.map(targetOf);
  const walk = new Walk(options, { targets: new Set(targets.filter((t) => t !== undefined)), cut });
  return walk.run(seeds(outputs, options.gradOutputs ?? []), () => targets.map((t) => t && walk.gradientAt(t)));
}

function seeds(outputs: readonly Tensor[], gradients: readonly (Tensor | undefined)[]): Start[] {
  return outputs.map((output, i) => {
    const target = targetOf(output);
    if (!target) {
      throw new JitLensError(
        'JLT-GRAD',
        'backward() of a tensor that depends on nothing whose gradient is wanted',
        'Set requiresGrad on what you differentiate for; parameters have it. Inside noGrad nothing is recorded.',
      );
    }
    const given = gradients[i];
    if (given ? !sameShape(given.shape, output.shape) : output.numel !== 1) {
      throw new JitLensError(
        'JLT-GRAD',
        `backward() of a tensor of shape ${formatShape(output.shape)}${given ? ` from a gradient of shape ${formatShape(given.shape)}` : ''}`,
        given ? 'A gradient has the shape of its tensor.' : 'Reduce it to one number first, or give the gradient to start from.',
      );
    }
    return { target, gradient: () => given ?? full(output.shape, 1, { dtype: output.dtype }) };
  });
}
