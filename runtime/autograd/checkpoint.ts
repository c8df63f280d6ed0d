/**
 * @file Checkpoints: memory for time. In: a function and its inputs. Out: its results, of whose making nothing is kept; the
 * gradient runs the function again, with the same random numbers.
 */
import { gradMode } from '../ops/tape.ts';
import { byRunningAgain } from './again.ts';
import { Discovery, discovering } from './discovery.ts';
import { save } from './history.ts';
import { tensorsIn } from './nested.ts';
import { rememberRandom } from './random.ts';
import { attachAll, targetOf } from './tape.ts';

/**
 * `fn(...inputs)` without keeping what its gradient would need: the gradient calls it again. It must then do the same, so
 * it may not write into tensors from outside (JLT-GRAD), and its inputs may not be overwritten before (JL407).
 */
export function checkpoint<A extends readonly unknown[], R>(fn: (...inputs: A) => R, ...inputs: A): R {
  if (!gradMode()) return fn(...inputs);
  const withSameNumbers = rememberRandom();
  const found = new Discovery((x) => targetOf(x) !== undefined);
  const result = discovering(found, () => fn(...inputs));
  const all = tensorsIn(result);
  const places = all.flatMap((x, i) => (found.gave(x) ? [i] : []));
  const sources = [...found.sources];
  attachAll(
    all.filter((x) => found.gave(x)),
    'checkpoint',
    sources,
    () => ({
      saved: [...new Set([...sources, ...tensorsIn(inputs)])].map(save),
      backward: byRunningAgain({
        name: 'a checkpoint',
        run: () => withSameNumbers(() => fn(...inputs)),
        count: all.length,
        places,
        sources,
      }),
    }),
  );
  return result;
}
