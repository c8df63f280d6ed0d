/** @file The one place where automatic differentiation meets random numbers: code that runs again draws what it drew before. */
import { generatorState, withGenerator } from '../ops/random.ts';

/** Remembers what the generator is at; the result runs code with random numbers drawn from there. */
export function rememberRandom(): <T>(body: () => T) => T {
  const state = generatorState();
  return (body) => withGenerator(state, body);
}
