/** @file `jit.verify`: what agrees, what does not, and where it starts to differ. */
import { jit, nn, ones, randn, tensor, type Tensor } from 'jitlens';
import { expect, test } from 'vitest';

class Block extends jit.ScriptModule {
  readonly linear = new nn.Linear(4, 4);
  readonly norm = new nn.BatchNorm1d(4);
  readonly drop = new nn.Dropout(0.5);

  @jit.scriptMethod
  override forward(x: Tensor): Tensor {
    const y = this.drop.forward(this.norm.forward(this.linear.forward(x)).relu());
    return x.size(0) > 3 ? y.mul(2) : y;
  }
}

function mean({ norm }: Block): Tensor {
  if (!norm.runningMean) throw new Error('it has one');
  return norm.runningMean;
}

test('a module with state and random numbers agrees in all modes, also at other sizes; its state is left alone', async () => {
  const block = new Block();
  const before = [...(await mean(block).data())];
  const report = await jit.verify(block, { inputs: [randn([3, 4])] });
  expect(report.refused).toEqual([]);
  expect(report.checks.filter((c) => !c.ok)).toEqual([]);
  expect(report.ok).toBe(true);
  expect(new Set(report.checks.map((c) => `${c.mode} ${c.what} ${c.inputs}`))).toEqual(
    new Set(
      ['traced', 'scripted'].flatMap((mode) =>
        ['outputs', 'gradients'].flatMap((what) => [`${mode} ${what} [3, 4]`, `${mode} ${what} [4, 4]`]),
      ),
    ),
  );
  expect([...(await mean(block).data())]).toEqual(before);
});

test('what cannot be traced is said, and the rest is compared', async () => {
  const fn = async (x: Tensor) => ((await x.sum().item()) > 0 ? x.mul(2) : x);
  const report = await jit.verify(fn, { inputs: [ones([2])] });
  expect(report.refused.map(({ mode, error }) => [mode, error.code])).toEqual([['traced', 'JL610']]);
  expect(report.checks.every((c) => c.mode === 'scripted' && c.ok)).toBe(true);
  expect(report.ok).toBe(true);
});

test('a function that does something else when it is compiled: the difference is measured', async () => {
  const fn = (x: Tensor) => (jit.isScripting() ? x.mul(3).add(1) : x.mul(2).add(1));
  const report = await jit.verify(fn, { inputs: [tensor([1, 2])] });
  expect(report.ok).toBe(false);
  expect(report.checks.filter((c) => !c.ok).every((c) => c.mode === 'scripted')).toBe(true);
});
