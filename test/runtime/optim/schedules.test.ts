/** Schedules: the learning rates that they set, written out or by their formulas. */
import { describe, expect, it, test } from 'vitest';
import { nn, ones, optim } from 'jitlens';

const optimizer = (...lrs: number[]) =>
  new optim.SGD(
    lrs.map((lr) => ({ params: [new nn.Parameter(ones([1]))], lr })),
    { lr: 1 },
  );

/** The rate of the first group, before and after each step. */
function rates(schedule: optim.LRScheduler, steps: number): number[] {
  const list = [schedule.getLastLr()[0] ?? NaN];
  for (let i = 0; i < steps; i++) {
    schedule.step();
    list.push(schedule.getLastLr()[0] ?? NaN);
  }
  return list;
}

const near = (actual: readonly number[], expected: readonly number[]) => {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((v, i) => expect(v).toBeCloseTo(expected[i] ?? NaN, 10));
};

test('StepLR', () => near(rates(new optim.StepLR(optimizer(8), { stepSize: 2, gamma: 0.5 }), 5), [8, 8, 4, 4, 2, 2]));
test('ExponentialLR', () => near(rates(new optim.ExponentialLR(optimizer(8), { gamma: 0.5 }), 3), [8, 4, 2, 1]));
test('LambdaLR', () => near(rates(new optim.LambdaLR(optimizer(8), (t) => 1 / (1 + t)), 3), [8, 4, 8 / 3, 2]));
test('LinearLR', () => near(rates(new optim.LinearLR(optimizer(6), { startFactor: 0.5, totalIters: 3 }), 4), [3, 4, 5, 6, 6]));
test('CosineAnnealingLR', () =>
  near(rates(new optim.CosineAnnealingLR(optimizer(5), { tMax: 4, etaMin: 1 }), 5), [
    5,
    3 + Math.SQRT2,
    3,
    3 - Math.SQRT2,
    1,
    3 - Math.SQRT2,
  ]));

describe('OneCycleLR', () => {
  it('goes up, then down to next to nothing', () => {
    const list = rates(new optim.OneCycleLR(optimizer(1), { maxLr: 1, totalSteps: 10, pctStart: 0.4 }), 9);
    const cosine = (from: number, to: number, share: number) => to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
    near(list, [
      ...[0, 1, 2, 3].map((t) => cosine(0.04, 1, t / 3)),
      ...[4, 5, 6, 7, 8, 9].map((t) => cosine(1, 0.04 / 1e4, (t - 3) / 6)),
    ]);
  });

  it('in lines, and no further than its end', () => {
    const schedule = new optim.OneCycleLR(optimizer(1), {
      maxLr: 1,
      totalSteps: 6,
      pctStart: 0.5,
      annealStrategy: 'linear',
      divFactor: 2,
      finalDivFactor: 5,
    });
    near(rates(schedule, 5), [0.5, 0.75, 1, 0.7, 0.4, 0.1]);
    expect(() => schedule.step()).toThrow('OneCycleLR: step 6 of 6');
  });
});

describe('ReduceLROnPlateau', () => {
  it('waits, reduces, and cools down', () => {
    const sgd = optimizer(1, 10);
    const schedule = new optim.ReduceLROnPlateau(sgd, { factor: 0.5, patience: 1, cooldown: 2, minLr: 0.2 });
    const list = [3, 2, 2, 2, 2, 2, 2, 2, 1.9999, 1.9].map((loss) => {
      schedule.step(loss);
      return sgd.paramGroups.map(({ lr }) => lr);
    });
    expect(list).toEqual([
      [1, 10],
      [1, 10],
      [1, 10],
      [0.5, 5],
      [0.5, 5],
      [0.5, 5],
      [0.5, 5],
      [0.25, 2.5],
      [0.25, 2.5],
      [0.25, 2.5],
    ]);
    for (let i = 0; i < 20; i++) schedule.step(5);
    expect(sgd.paramGroups[0]?.lr).toBe(0.2);
  });

  it('of a measure that should grow, with a threshold', () => {
    const sgd = optimizer(1);
    const schedule = new optim.ReduceLROnPlateau(sgd, { mode: 'max', patience: 0, threshold: 0.5, thresholdMode: 'abs' });
    const list = [1, 2, 2.4, 3].map((score) => {
      schedule.step(score);
      return sgd.paramGroups[0]?.lr;
    });
    expect(list).toEqual([1, 1, 0.1, 0.1]);
    const other = new optim.ReduceLROnPlateau(sgd, { mode: 'max', patience: 0 });
    other.loadStateDict(schedule.stateDict());
    expect(other.stateDict()).toEqual({ best: 3, badSteps: 0, cooling: 0 });
  });
});

test('every group changes from its own rate, and a schedule goes on where it was saved', () => {
  const sgd = optimizer(8, 4);
  const schedule = new optim.StepLR(sgd, { stepSize: 1, gamma: 0.5 });
  schedule.step();
  expect(schedule.getLastLr()).toEqual([4, 2]);
  const later = new optim.StepLR(optimizer(8, 4), { stepSize: 1, gamma: 0.5 });
  later.loadStateDict(schedule.stateDict());
  later.step();
  expect(later.getLastLr()).toEqual([2, 1]);
});

test('the rate is on the device too', async () => {
  const sgd = optimizer(8);
  new optim.ExponentialLR(sgd, { gamma: 0.5 }).step();
  expect(await sgd.paramGroups[0]?.rate.item()).toBe(4);
});
