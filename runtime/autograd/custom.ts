/**
 * @file Functions with a gradient of their own. In: a forward function, which also says what to save, and a backward one.
 * Out: a function to call like any op, eagerly and in traces. Saved tensors may not be overwritten before they are read.
 */
import { JitLensError } from '../errors.ts';
import { gradMode, noGrad } from '../ops/tape.ts';
import { zeros } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { save, type Gradients } from './history.ts';
import { tensorsIn } from './nested.ts';
import { attachAll } from './tape.ts';

export interface CustomFunction<A extends readonly unknown[], R extends Tensor | readonly Tensor[], S> {
  /** For error messages. */
  readonly name?: string;
  /** The result, one tensor or several, and what `backward` needs of how it was made. Its ops are not recorded. */
  readonly forward: (...inputs: A) => { readonly result: R; readonly saved?: S };
  /**
   * The gradients of the inputs, in their order (undefined for what has none), from those of the results: zeros for a
   * result that nothing was made of. Write it with ops, and it can be differentiated again.
   */
  readonly backward: (saved: S, ...gradients: Tensor[]) => Gradients;
}

/**
 * A function whose gradient is given: `const f = customFunction({ forward: (x) => ({ result, saved: { x } }), backward:
 * ({ x }, g) => [g.mul(x)] })`.
 */
export function customFunction<A extends readonly unknown[], R extends Tensor | readonly Tensor[], S = undefined>(
  definition: CustomFunction<A, R, S>,
): (...inputs: A) => R {
  const { name = 'a custom function', forward, backward } = definition;
  return (...inputs) => {
    const places = inputs.flatMap((x, i) => (x instanceof Tensor ? [i] : []));
    const operands = inputs.filter((x) => x instanceof Tensor);
    const versions = operands.map((x) => x.storage.version);
    const { result, saved } = noGrad(() => forward(...inputs));
    const results = tensorsIn(result);
    const forms = results.map(({ shape, dtype }) => ({ shape, dtype }));
    if (operands.some((x, i) => x.storage.version !== versions[i]))
      throw refusal(name, 'writes into its inputs', 'Compute a new tensor.');
    if (results.some((x) => operands.includes(x)))
      throw refusal(name, 'gives one of its inputs', 'Return a view of it: x.view(x.shape).');
    if (!gradMode()) return result;
    attachAll(results, name, operands, () => ({
      saved: tensorsIn(saved).map(save),
      backward: (gradients) => {
        const given = backward(saved as S, ...forms.map(({ shape, dtype }, i) => gradients[i] ?? zeros(shape, { dtype })));
        if (given.length > inputs.length)
          throw refusal(name, `has ${inputs.length} inputs, and ${given.length} gradients`, 'Give one for each input.');
        return places.map((i) => given[i]);
      },
    }));
    return result;
  };
}

function refusal(name: string, what: string, hint: string): JitLensError {
  return new JitLensError('JLT-GRAD', `${name} ${what}`, hint);
}
