/** gradcheck finds right gradients right, and says where a wrong one is. */
import { expect, test } from 'vitest';
import { autograd, gradcheck, gradgradcheck, tensor, type Tensor } from 'jitlens';
import { currentBackend } from '../../../runtime/tensor/backend.ts';

const x = tensor([
  [0.5, -1, 2],
  [1.5, 0.25, -0.75],
]);
const w = tensor([[1, -0.5, 0.25]]);

test('right gradients pass, of the first and the second order', async () => {
  const device = currentBackend();
  const f = (a: Tensor, b: Tensor) => [a.matmul(b.t()).tanh(), a.exp().mean({ dim: 0 })];
  await gradcheck(f, [x, w]);
  await gradgradcheck(f, [x, w]);
  await gradcheck((a, at) => a.indexSelect(1, at), [x, tensor([2, 0], { dtype: 'int32' })]);
  expect(currentBackend()).toBe(device);
});

test('a wrong element is named', async () => {
  const wrong = autograd.customFunction({
    forward: (a: Tensor, b: Tensor) => ({ result: a.mul(b), saved: { a, b } }),
    backward: ({ a, b }, g) => [g.mul(b).mul(tensor([1, 1, 1.5])), g.mul(a)],
  });
  await expect(gradcheck(wrong, [x, w])).rejects.toThrow(
    /d output 0 at \[0, 2\] \/ d input 0 at \[0, 2\] is 0\.375, and by differences 0\.2(5|49)\d* \(the first of 2 wrong elements\)/,
  );
  await gradcheck(wrong, [x, w], { rtol: 0.6 });
});

test('a wrong second order is found although the first is right', async () => {
  const once = autograd.customFunction({
    forward: (a: Tensor) => ({ result: a.square(), saved: { a } }),
    backward: ({ a }, g) => [g.mul(a.detach()).mul(2)],
  });
  await gradcheck(once, [x]);
  await expect(gradgradcheck(once, [x])).rejects.toThrow(/d output 0 at \[0, 0\] \/ d input 0 at \[0, 0\] is 0, and/);
});

test('a gradient that is lost is found', async () => {
  await expect(gradcheck((a) => a.detach().mul(2), [x])).rejects.toThrow(/is 0, and by differences (2|1\.99)/);
});
