/** Einstein sums against brute force: every value of every letter, in the test's own loops. */
import { expect, test } from 'vitest';
import { einsum, jit, tensor, type Tensor } from 'jitlens';
import { numel } from '../../../runtime/tensor/shape.ts';
import { firstOff } from '../support/compare.ts';
import { launched } from '../support/dispatches.ts';
import { Random } from '../support/random.ts';

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
const random = new Random(5);
const made = (shape: readonly number[]): Values => ({ shape, data: random.values(numel(shape), 'float32', [-1, 1]) });
const onDevice = ({ shape, data }: Values) => tensor(Float32Array.from(data)).view(shape);

/** `terms` and `out` have a letter for every dim. */
function brute(terms: readonly string[], out: string, operands: readonly Values[]): Values {
  const sizes: Record<string, number> = {};
  terms.forEach((term, i) =>
    Array.from(term).forEach((x, d) => (sizes[x] = Math.max(sizes[x] ?? 1, operands[i]?.shape[d] ?? 1))),
  );
  const letters = Object.keys(sizes);
  const shape = Array.from(out).map((x) => sizes[x] ?? 1);
  const data = new Array<number>(numel(shape)).fill(0);
  const at: Record<string, number> = {};
  const place = (term: string, dims: readonly number[]) =>
    Array.from(term).reduce((sum, x, d) => sum * (dims[d] ?? 1) + (dims[d] === 1 ? 0 : (at[x] ?? 0)), 0);
  const visit = (depth: number): void => {
    const letter = letters[depth];
    if (letter === undefined) {
      const product = operands.reduce((p, v, i) => p * (v.data[place(terms[i] ?? '', v.shape)] ?? NaN), 1);
      const to = place(out, shape);
      data[to] = (data[to] ?? 0) + product;
      return;
    }
    for (at[letter] = 0; (at[letter] ?? 0) < (sizes[letter] ?? 1); at[letter] = (at[letter] ?? 0) + 1) visit(depth + 1);
  };
  visit(0);
  return { shape, data };
}

const CASES: readonly [equation: string, terms: string[], out: string, shapes: number[][]][] = [
  ['ij,jk->ik', ['ij', 'jk'], 'ik', [[3, 4], [4, 5]]],
  ['ij,jk', ['ij', 'jk'], 'ik', [[3, 4], [4, 5]]],
  ['kj,ji', ['kj', 'ji'], 'ik', [[3, 4], [4, 5]]],
  ['i,i->', ['i', 'i'], '', [[7], [7]]],
  ['ij->ji', ['ij'], 'ji', [[3, 4]]],
  ['ii', ['ii'], '', [[4, 4]]],
  ['iij->ij', ['iij'], 'ij', [[3, 3, 2]]],
  ['iii->i', ['iii'], 'i', [[3, 3, 3]]],
  ['ij,kl->', ['ij', 'kl'], '', [[3, 4], [2, 5]]],
  ['b...i,...ij->b...j', ['bxyi', 'xyij'], 'bxyj', [[2, 3, 4, 5], [3, 4, 5, 2]]],
  ['...i,ij', ['xi', 'ij'], 'xj', [[3, 4], [4, 2]]],
  ['i...,i...->...', ['ixy', 'iy'], 'xy', [[3, 2, 4], [3, 4]]],
  ['bhqd,bhkd->bhqk', ['bhqd', 'bhkd'], 'bhqk', [[2, 2, 3, 4], [2, 2, 5, 4]]],
  ['ia,ib,ic->abc', ['ia', 'ib', 'ic'], 'abc', [[3, 2], [3, 3], [3, 4]]],
  ['ijk,kl,jm->iml', ['ijk', 'kl', 'jm'], 'iml', [[2, 3, 4], [4, 2], [3, 5]]],
  ['ab,cd->acbd', ['ab', 'cd'], 'acbd', [[2, 3], [2, 2]]],
  ['ij,ij->ij', ['ij', 'ij'], 'ij', [[3, 1], [3, 4]]],
  ['Aa,aB->AB', ['Aa', 'aB'], 'AB', [[3, 4], [4, 2]]],
  ['ijj,jk->k', ['ijj', 'jk'], 'k', [[2, 3, 3], [3, 4]]],
]; // prettier-ignore

test.each(CASES)('%s', async (equation, terms, out, shapes) => {
  const operands = shapes.map(made);
  const want = brute(terms, out, operands);
  const run = (...xs: [Tensor, ...Tensor[]]) => einsum(equation, xs);
  const tensors = () => operands.map(onDevice) as [Tensor, ...Tensor[]];
  for (const got of [run(...tensors()), jit.trace(run, tensors())(...tensors())]) {
    expect(got.shape).toEqual(want.shape);
    expect(firstOff([...(await got.data())], want.data, { relative: 1e-5, absolute: 1e-5 })).toBeUndefined();
  }
});

test('a product of two is one kernel, whatever the order of their dims', () => {
  const [a, b] = [onDevice(made([2, 3, 4])), onDevice(made([5, 4, 2]))];
  expect(launched(() => einsum('bij,kjb->kib', [a, b]))).toBe(1);
});

test.each([
  ['a letter for every dim', 'ij->i', [[3]]],
  ['a dim without a letter', 'i->i', [[3, 4]]],
  ['one length under a letter', 'ij,jk', [[3, 4], [5, 2]]],
  ['one length on a diagonal', 'ii', [[3, 4]]],
  ['a letter of the result that no operand has', 'ij->k', [[3, 4]]],
  ['a letter twice in the result', 'ij->ii', [[3, 4]]],
  ['as many terms as tensors', 'ij,jk', [[3, 4]]],
  ['two arrows', 'i->i->i', [[3]]],
])('refused: %s', (_name, equation, shapes) => {
  expect(() => einsum(equation, (shapes).map((s) => onDevice(made(s))))).toThrow(expect.objectContaining({ code: 'JL410' }));
}); // prettier-ignore
