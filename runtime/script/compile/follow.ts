/**
 * @file Follows a run that was made before, op by op, with real tensors: for its gradient. In: the function, its arguments, the values
 * that the run read. Out: its result, with the history of how it was made. Nothing is printed or stored.
 */
import { invariant } from '../../errors.ts';
import type { World } from './context.ts';
import { Interpreter } from './interpreter.ts';
import { partsOf } from './loop.ts';
import { Pending } from './values.ts';
import type { Target } from './compile.ts';

export function follow(
  { closure, self }: Target,
  args: readonly unknown[],
  reads: readonly number[],
  state: (of: object, key: PropertyKey) => unknown,
): unknown[] {
  let at = 0;
  const world: World = {
    read: () => invariant(at < reads.length && { value: reads[at++] }, 'a run is followed as it was').value,
    effect: () => undefined,
  };
  const looking = new Interpreter(world, 'none', state);
  const result = looking.invoke(closure, self, args, closure.node);
  return [...partsOf(result instanceof Pending ? result.result : result).leaves];
}
