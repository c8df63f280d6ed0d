/**
 * @file Gradients by running code again with the tape on, for code of whose first run nothing was kept. In: the code, which
 * of the tensors that it gives have a gradient, and what those depend on. Out: the gradients of that.
 */
import { JitLensError } from '../errors.ts';
import { enableGrad, gradMode } from '../ops/tape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { gradUpTo } from './backward.ts';
import type { Backward } from './history.ts';
import { tensorsIn } from './nested.ts';
import { targetOf } from './tape.ts';

export interface Rerun {
  /** For error messages. */
  readonly name: string;
  readonly run: () => unknown;
  /** What the code and its gradients find as it was in the first run. */
  readonly asBefore?: <T>(body: () => T) => T;
  /** How many tensors the first run gave, and which of them gradients arrive at. */
  readonly count: number;
  readonly places: readonly number[];
  readonly sources: readonly Tensor[];
}

export function byRunningAgain({ name, run, asBefore = (body) => body(), count, places, sources }: Rerun): Backward {
  const gradientsOf = (gradients: Parameters<Backward>[0]) => {
    const results = tensorsIn(enableGrad(run));
    if (results.length !== count) {
      throw new JitLensError(
        'JLT-GRAD',
        `the function of ${name} gave ${count} tensors, and ${results.length} when it ran again for the gradient`,
        'It must do the same at every call.',
      );
    }
    const reached = places.flatMap((place, i) => {
      const [x, g] = [results[place], gradients[i]];
      return x && g && targetOf(x) ? [{ x, g }] : [];
    });
    const options = { gradOutputs: reached.map(({ g }) => g), createGraph: gradMode() };
    return gradUpTo(
      reached.map(({ x }) => x),
      sources,
      options,
    );
  };
  return (gradients) => asBefore(() => gradientsOf(gradients));
}
