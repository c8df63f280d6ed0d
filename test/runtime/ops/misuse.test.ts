/** What a type checker would refuse is refused when it runs, too, in a sentence: nothing is passed over. */
import { describe, expect, test } from 'vitest';
import { cat, full, jit, JitLensError, manualSeed, ones, optim, tensor, zeros } from 'jitlens';

/** As code that no type checker has seen holds it. */
type Loose = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
const x = () => ones([2, 3]) as unknown as Loose;
const loose = (fn: unknown) => fn as (...args: readonly unknown[]) => unknown;

const CALLS: Readonly<Record<string, readonly [run: () => unknown, code: string, message: string]>> = {
  'a dim for options': [() => x()['sum']?.(1), 'JLT-DIM', 'sum: 1 is not an object of options'],
  'dims for options': [() => x()['mean']?.([0, 1]), 'JLT-DIM', 'mean: [0,1] is not an object of options'],
  'a dim for options of var': [() => x()['var']?.(0), 'JLT-DIM', 'var: 0 is not an object of options'],
  'options for a dim': [() => x()['softmax']?.({ dim: 1 }), 'JLT-DIM', 'a value of type object is not a dim'],
  'options for dims': [() => x()['max']?.({ dim: 1 }), 'JLT-DIM', 'is not a dim'],
  'a dim for dims': [() => x()['flip']?.(0), 'JLT-SHAPE', 'flip: 0 is not a list of numbers'],
  'dims one by one': [() => x()['permute']?.(1, 0), 'JLT-SHAPE', 'permute: 1 is not a list of numbers'],
  'sizes one by one': [() => x()['view']?.(3, 2), 'JLT-SHAPE', 'view: 3 is not a list of numbers'],
  'sizes to expand to': [() => x()['expand']?.(2, 3), 'JLT-SHAPE', 'expand: 2 is not a list of numbers'],
  'sizes of zeros': [() => loose(zeros)(2, 3), 'JLT-SHAPE', 'a tensor: 2 is not a list of numbers'],
  'counts one by one': [() => x()['repeat']?.(2, 2), 'JLT-SHAPE', 'repeat: 2 is not a list of numbers'],
  'no shifts': [() => x()['roll']?.(), 'JLT-SHAPE', 'roll: a value of type undefined is not a list of numbers'],
  'no amounts': [() => x()['pad']?.(), 'JLT-SHAPE', 'pad: a value of type undefined is not a list of numbers'],
  'no size': [() => ones([1, 1, 4]).interpolate(undefined as never), 'JL410', "interpolate: 'nearest' of a tensor of shape"],
  'options for a dim of logsumexp': [() => x()['logsumexp']?.({ dim: 1 }), 'JLT-DIM', 'logsumexp: a value of type object'],
  'no number to fill with': [() => loose(full)([2]), 'JLT-DATA', 'full: a value of type undefined is not a number'],
  'text for a seed': [() => loose(manualSeed)('a'), 'JLT-RANGE', 'manualSeed: a is no seed'],
  'pieces of nothing': [() => ones([4]).split(0), 'JLT-RANGE', 'split: pieces of 0'],
  'no pieces': [() => x()['chunk']?.(), 'JLT-RANGE', 'chunk: pieces in number: undefined'],
  'more than a dim has': [() => ones([3, 4]).narrow(0, 2, 5), 'JLT-INDEX', 'narrow: 5 from 2 on, of dim 0 of size 3'],
  'what begins before a dim': [() => ones([3, 4]).narrow(1, -5, 1), 'JLT-INDEX', 'narrow: 1 from -5 on'],
  'tensors one by one': [() => loose(cat)(x(), x()), 'JLT-OPERAND', 'cat joins a list of tensors'],
  'a dtype that is none': [() => x()['to']?.('float31'), 'JLT-DTYPE', 'to: ‘float31’ is not a dtype'],
  'text for numbers': [() => loose(tensor)(['a']), 'JLT-DATA', 'a value of type string is not a number'],
  'nothing for numbers': [() => loose(tensor)(undefined), 'JLT-DATA', 'a value of type undefined is not a number'],
  'numbers for parameters': [
    () => new (optim.SGD as unknown as new (...a: unknown[]) => unknown)([1]),
    'JLT-OPTIM',
    'something else',
  ],
  'no function to trace': [() => loose(jit.trace)(5, []), 'JL608', 'what is traced is a function'],
  'an input for a list of them': [() => loose(jit.trace)(() => x(), x()), 'JL608', 'the example inputs are not an array'],
  'an argument that contains itself': [
    () => {
      const round: Record<string, unknown> = { x: x() };
      round['again'] = [round];
      return loose(jit.trace)((o: { x: unknown }) => o.x, [round]);
    },
    'JL608',
    'arguments[0].again[0] contains itself',
  ],
};

describe('a call that a type checker would refuse', () => {
  test.each(Object.entries(CALLS))('%s', (_name, [run, code, message]) => {
    expect(run).toThrow(JitLensError);
    expect(run).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });
});

test('one value in two places of an argument is no circle', async () => {
  const pair = { a: tensor([1, 2]) };
  const traced = jit.trace((p: { a: typeof pair; b: typeof pair }) => p.a.a.add(p.b.a), [{ a: pair, b: pair }]);
  expect([...(await traced({ a: pair, b: pair }).data())]).toEqual([2, 4]);
});
