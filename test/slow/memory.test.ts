/** Memory over a long time, and tensors too large for one row of workgroups. */
import { expect, test } from 'vitest';
import { jit, manualSeed, memory, nn, ones, optim, rand, scope, type Tensor } from 'jitlens';

const live = () => memory()?.liveBytes ?? NaN;

function training() {
  manualSeed(1);
  const net = new nn.Sequential(new nn.Linear(8, 16), new nn.Tanh(), new nn.Linear(16, 1));
  const adam = new optim.Adam(net.parameters());
  const [x, y] = [rand([32, 8]), rand([32, 1])];
  const step = (inputs: Tensor, wanted: Tensor): Tensor => {
    adam.zeroGrad();
    const loss = net.forward(inputs).mseLoss(wanted);
    loss.backward();
    adam.step();
    return loss.detach();
  };
  return { step, x, y };
}

/** Calls `step` so many times and gives what was live after the first hundred and at the end, and the highest in between. */
async function watched(steps: number, step: () => Promise<number>) {
  let start = NaN;
  let highest = 0;
  for (let i = 1; i <= steps; i++) {
    await step();
    if (i === 100) start = live();
    if (i > 100) highest = Math.max(highest, live());
  }
  return { start, end: live(), highest };
}

test('10,000 eager steps in scopes hold the bytes of the first', async () => {
  const { step, x, y } = training();
  const run = async () => {
    const loss = scope(() => step(x, y));
    const value = await loss.item();
    loss.dispose();
    return value;
  };
  const { start, end, highest } = await watched(10_000, run);
  expect(end).toBe(start);
  expect(highest).toBe(start);
});

test('10,000 traced steps hold the bytes of the first', async () => {
  const { step, x, y } = training();
  const fast = jit.trace(step, [x, y]);
  const run = async () => {
    const loss = fast(x, y);
    const value = await loss.item();
    loss.dispose();
    return value;
  };
  const { start, highest } = await watched(10_000, run);
  // What other tests left behind may be found in the meantime.
  expect(highest).toBeLessThanOrEqual(start);
});

test('without scopes the collector keeps memory below its mark', async () => {
  const x = ones([64, 1024]);
  let highest = 0;
  for (let i = 0; i < 4000; i++) {
    await x.mul(i).sum().item();
    highest = Math.max(highest, live());
  }
  expect(highest).toBeLessThan(3 * 2 ** 26);
});

test('2^27 elements take more than one row of workgroups, and every element is right', async () => {
  const n = 2 ** 27;
  const x = ones([n]);
  const y = x.add(1);
  x.dispose();
  expect(await y.sum().item()).toBe(2 * n);
  expect(await y.amin().item()).toBe(2);
  expect(await y.slice(0, n - 3).data()).toEqual(Float32Array.of(2, 2, 2));
  y.dispose();
});
