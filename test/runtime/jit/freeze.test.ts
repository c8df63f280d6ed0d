/** Freezing: values are those of the moment, what they decide is computed once, and what cannot be frozen is refused. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { full, jit, manualSeed, memory, nn, noGrad, ones, optim, rand, tensor, type Tensor } from 'jitlens';
import { BasicBlock } from '../../../extension/samples/resnet.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference, whollyOnReference } from '../support/devices.ts';
import { launched } from '../support/dispatches.ts';
import { frozenProgram } from '../support/frozen-programs.ts';
import { randomTensor } from '../support/random.ts';
import { CLOSE, dispatches, kernelsOf, onlyTrace } from '../support/traces.ts';

/** Statistics that say something. */
function settle(norm: nn.BatchNorm2d | nn.BatchNorm1d): void {
  const size = norm.runningVar?.numel ?? 1;
  const set = (x: Tensor | undefined, seed: number, from: number) => x?.copy_(randomTensor([size], seed).mul(0.5).add(from));
  noGrad(() => [norm.runningMean, norm.runningVar, norm.weight, norm.bias].forEach((x, i) => set(x, i + 1, i % 2 ? 1 : 0.25)));
}

class Block extends nn.Module {
  readonly conv = new nn.Conv2d(2, 4, 3, { padding: 1 });
  readonly norm = new nn.BatchNorm2d(4);

  constructor() {
    super();
    settle(this.norm);
  }

  forward(x: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(x)).relu_();
  }
}

class Linear extends nn.Module {
  readonly linear = new nn.Linear(3, 4);
  readonly norm = new nn.BatchNorm1d(4);

  forward(x: Tensor): Tensor {
    return this.norm.forward(this.linear.forward(x));
  }
}

const image = (seed = 1) => randomTensor([2, 2, 5, 6], seed);
const seeded = <T>(make: () => T): T => {
  manualSeed(7);
  return make();
};
const inUse = () => seeded(() => new Block().eval());
const opsOf = (traced: Parameters<typeof onlyTrace>[0]) =>
  onlyTrace(traced).plan?.optimised.graph.nodes.flatMap((n) => (n.kind === 'op' ? [n.op.name] : []));

describe('a frozen function', () => {
  test('has the batch norm in the weight: one kernel, which loads and computes less', async () => {
    const [block, want] = [inUse(), onReference(() => read(inUse().forward(image())))];
    const traced = jit.trace(block, [image()]);
    const frozen = await jit.freeze(traced);
    expect(opsOf(traced)).toEqual([
      'convolution',
      'view',
      'add',
      'view',
      'sub',
      'view',
      'over root',
      'view',
      'view',
      'addcmul',
      'relu',
    ]);
    expect(opsOf(frozen)).toEqual(['convolution', 'add', 'relu']);
    expect([dispatches(traced), dispatches(frozen)]).toEqual([1, 1]);
    expect(launched(() => frozen(image()))).toBe(1);
    // What it stores, the image, and: weight, bias and four of the norm; weight and summand.
    expect([kernelsOf(traced), kernelsOf(frozen)].map(([k]) => k?.kernel.storages.length)).toEqual([8, 4]);
    for (const call of [frozen, frozen, traced]) expectSame(await read(call(image())), await want, CLOSE, 'against float64');
  });

  test('on the reference device gives what it gave', async () => {
    await whollyOnReference(async () => {
      const block = inUse();
      const frozen = await jit.freeze(jit.trace(block, [image()]));
      expectSame(
        await read(frozen(image(2))),
        await read(block.forward(image(2))),
        { relative: 1e-12, absolute: 1e-12 },
        'frozen',
      );
    });
  });

  test('keeps the values of the moment, whatever is written afterwards', async () => {
    const block = inUse();
    const traced = jit.trace(block, [image()]);
    const before = await read(traced(image()));
    const freezing = jit.freeze(traced);
    // At once: what is waited for must not see it.
    noGrad(() => block.conv.weight.mul_(2));
    const frozen = await freezing;
    const same = async (what: string) => {
      expectSame(await read(noGrad(() => frozen(image()))), before, CLOSE, what);
    };
    await same('after a write');
    block.loadStateDict(Object.fromEntries(Object.entries(block.stateDict()).map(([name, x]) => [name, x.add(1)])));
    await same('after loading');
    const sgd = new optim.SGD(block.parameters(), { lr: 1 });
    block.forward(image()).sum().backward();
    sgd.step();
    await same('after a step');
    block.train();
    await same('in training');
    // The trace follows.
    expect((await read(noGrad(() => traced(image()))))[0]?.values).not.toEqual(before[0]?.values);
  });

  test('computes what depends on parameters alone once', async () => {
    const [down, up] = [new nn.Parameter(randomTensor([9, 4])), new nn.Parameter(randomTensor([4, 5], 2))];
    const normed = (x: Tensor) => x.matmul(down.matmul(up)).tanh();
    const x = randomTensor([3, 9], 3);
    const traced = jit.trace(normed, [x]);
    const frozen = await jit.freeze(traced);
    expect(launched(() => traced(x))).toBe(2);
    expect(launched(() => frozen(x))).toBe(1);
    expectSame(await read(frozen(x)), await read(normed(x)), CLOSE, 'frozen');
  });

  test('serves what the trace was called with, with gradients or without', async () => {
    const block = inUse();
    const traced = jit.trace(block, [image()]);
    traced(ones([1, 2, 8, 3]));
    const frozen = await jit.freeze(traced);
    expect(frozen.info.compiled).toHaveLength(2);
    for (const x of [image(3), ones([1, 2, 8, 3]), image(4).requiresGrad_()]) {
      expectSame(await read(noGrad(() => frozen(x))), await read(block.forward(x)), CLOSE, 'frozen');
      expectSame(await read(frozen(x)), await read(block.forward(x)), CLOSE, 'frozen, with gradients');
    }
    expect(() => frozen(ones([1, 2, 8, 4]))).toThrow(expect.objectContaining({ code: 'JLT-FREEZE' }));
    expect(() => frozen(image().transpose(2, 3))).toThrow(/float32\[2, 2, 6, 5\]/);
  });

  test.each<[string, (x: Tensor, w: Tensor, g: Tensor) => Tensor]>([
    ['all of them', (x, w, g) => x.matmul(w).mul(g.expand([4, 5]))],
    ['a divisor', (x, w, g) => x.matmul(w).div(g.expand([4, 5]))],
    ['one number', (x, w, g) => x.matmul(w).mul(g.select(0, 0).expand([4, 5]))],
    ['further dims', (x, w, g) => x.matmul(w).mul(g.expand([3, 1, 5]))],
  ])('keeps a scale that makes more of a product: %s', async (_, scaled) => {
    const [w, g] = [randomTensor([6, 5], 1), randomTensor([5], 2).add(2)];
    for (const shape of [[1, 6], [6]]) {
      const x = randomTensor(shape, 3);
      const fn = (y: Tensor) => scaled(y, w, g);
      const frozen = await jit.freeze(jit.trace(fn, [x]));
      expectSame(await read([frozen(x)]), await read([fn(x)]), CLOSE, 'frozen against eager');
    }
  });

  test('is the one of the trace that was called so', async () => {
    const g = randomTensor([5], 1);
    const asks = jit.trace((x: Tensor) => (x.requiresGrad ? x.mul(g).mul(2) : x.mul(g).mul(3)), [ones([5])]);
    asks(ones([5]).requiresGrad_());
    const wants = await jit.freeze(asks);
    expectSame(await read([wants(ones([5]))]), await read([g.mul(3)]), CLOSE, 'without a gradient');
    expectSame(await read([wants(ones([5]).requiresGrad_()).detach()]), await read([g.mul(2)]), CLOSE, 'with one');
    const a = randomTensor([5], 2);
    const twins = jit.trace((x: Tensor, y: Tensor) => (x === y ? x.mul(g) : x.add(y).mul(g)), [a, a]);
    twins(a, a.view([5]));
    const frozen = await jit.freeze(twins);
    expectSame(await read([frozen(a, a)]), await read([a.mul(g)]), CLOSE, 'one tensor twice');
    expectSame(await read([frozen(a, a.view([5]))]), await read([a.add(a).mul(g)]), CLOSE, 'and a view of it');
  });

  test('keeps a scale that would leave nothing of the weight', async () => {
    const [w, s] = [full([6, 5], 1e-25), full([5], 1e-20)];
    const fn = (x: Tensor) => x.matmul(w).mul(s);
    const x = full([2, 6], 1e30);
    const frozen = await jit.freeze(jit.trace(fn, [x]));
    expectSame(await read([frozen(x)]), await read([fn(x)]), CLOSE, 'frozen against eager');
  });

  test('draws random numbers as the code does', async () => {
    const scale = new nn.Parameter(ones([4]));
    const noisy = (x: Tensor) => x.add(rand([4]).mul(scale));
    const frozen = await jit.freeze(jit.trace(noisy, [ones([4])]));
    const drawn = async (fn: (x: Tensor) => Tensor) => {
      manualSeed(3);
      return [...(await read([fn(ones([4])), fn(ones([4]))])).map((r) => r.values)];
    };
    expect(await drawn(frozen)).toEqual(await drawn(noisy));
  });

  test('writes its arguments as the code does', async () => {
    const step = new nn.Parameter(full([3], 2));
    const frozen = await jit.freeze(jit.trace((x: Tensor) => noGrad(() => x.add_(step).mul(1)), [ones([3])]));
    const x = ones([3]);
    noGrad(() => frozen(x));
    expect([...(await x.data())]).toEqual([3, 3, 3]);
  });

  test('in a trace is part of it', async () => {
    const block = inUse();
    const frozen = await jit.freeze(jit.trace(block, [image()]));
    const want = await read(block.forward(image()).mul(2));
    noGrad(() => block.conv.weight.mul_(0));
    const outer = jit.trace((x: Tensor) => frozen(x).mul(2), [image()]);
    expectSame(await read(outer(image())), want, CLOSE, 'with the frozen values');
    expect(() => jit.trace((x: Tensor) => frozen(x).mul(2), [image().requiresGrad_()])).toThrow(/no gradient/);
    const views = await jit.freeze(jit.trace((x: Tensor) => [x.select(0, 1), x.exp().t()], [ones([2, 3])]));
    const given = jit.trace((x: Tensor) => views(x).map((y) => y.add(1)), [ones([2, 3])]);
    const x = randomTensor([2, 3]);
    expectSame(await read(given(x)), await read([x.select(0, 1).add(1), x.exp().t().add(1)]), CLOSE, 'views');
  });

  test('gives the memory of a weight back that it needs no more', async () => {
    const live = () => memory()?.liveBytes ?? 0;
    const weight = new nn.Parameter(randomTensor([256, 256]));
    const traced = jit.trace((x: Tensor) => x.matmul(weight).mul(3), [ones([2, 256])]);
    await weight.data();
    const before = live();
    const frozen = await jit.freeze(traced);
    await frozen(ones([2, 256])).data();
    // One copy, not two.
    expect(live() - before).toBeLessThan(1.5 * weight.numel * 4);
  });
});

describe('gradients', () => {
  test('reach the arguments, and no parameters', async () => {
    const [block, x, y] = [inUse(), image().requiresGrad_(), image().requiresGrad_()];
    const frozen = await jit.freeze(jit.trace(block, [image().requiresGrad_()]));
    frozen(x).square().sum().backward();
    expect(block.parameters().map((p) => p.grad)).toEqual([undefined, undefined, undefined, undefined]);
    block.forward(y).square().sum().backward();
    expectSame(await read(x.grad), await read(y.grad), CLOSE, 'frozen against eager');
    expect(frozen(image()).requiresGrad).toBe(false);
  });

  test('are refused where the code is not what was frozen any more', async () => {
    const block = inUse();
    const frozen = await jit.freeze(jit.trace(block, [image().requiresGrad_()]));
    const refused = expect.objectContaining({ code: 'JLT-GRAD' }) as Error;
    const backward = () => frozen(image().requiresGrad_()).sum().backward();
    expect(backward).not.toThrow();
    block.norm.train();
    expect(backward).toThrow(refused);
    block.norm.eval();
    expect(backward).not.toThrow();
    noGrad(() => block.norm.runningMean?.add_(1));
    expect(backward).toThrow(refused);
  });
});

describe('values that are not finite stay where they are', () => {
  const cases: readonly [string, number, boolean][] = [
    ['an ordinary scale', 2, true],
    ['a scale of zero', 0, true],
    ['an infinite scale', Infinity, false],
    ['no number', NaN, false],
    ['a scale that only the product has room for', 1e20, false],
  ];
  test.each(cases)('%s', async (name, scale, isMoved) => {
    const weight = new nn.Parameter(full([3, 2], name.includes('room') ? 1e30 : 1));
    const gain = new nn.Parameter(tensor([1, scale]));
    const fn = (x: Tensor) => x.matmul(weight).mul(gain);
    const x = tensor([1e-30, 0, -1e-30, 0, 0, 0]).view([2, 3]);
    const frozen = await jit.freeze(jit.trace(fn, [x]));
    expect(opsOf(frozen)).toEqual(isMoved ? ['matmul'] : ['matmul', 'mul']);
    expectSame(await read(frozen(x)), await read(fn(x)), CLOSE, name);
  });
});

describe('is refused', () => {
  const refused = (message: RegExp) =>
    expect.objectContaining({ code: 'JLT-FREEZE', message: expect.stringMatching(message) as string }) as Error;

  test('what is training', async () => {
    const block = seeded(() => new Block());
    const traced = jit.trace(block, [image()]);
    await expect(jit.freeze(traced)).rejects.toThrow(refused(/a Block is training/));
    block.eval();
    // The trace is of the other mode.
    await expect(jit.freeze(traced)).rejects.toThrow(refused(/no trace/));
    traced(image());
    block.norm.train();
    await expect(jit.freeze(traced)).rejects.toThrow(refused(/a BatchNorm2d is training/));
    block.norm.eval();
    await expect(jit.freeze(traced)).resolves.toBeTypeOf('function');
  });

  test('what changes, or gives away, what it holds', async () => {
    const state = new nn.Buffer(ones([3]));
    const counts = jit.trace((x: Tensor) => x.add(state.select(0, 0).add_(1)), [ones([3])]);
    await expect(jit.freeze(counts)).rejects.toThrow(refused(/add_ writes into ‘captured/));
    const gives = jit.trace((x: Tensor) => [x.add(1), state.slice(0, 0, 2)], [ones([3])]);
    await expect(jit.freeze(gives)).rejects.toThrow(refused(/gives ‘captured/));
    const net = seeded(() => new Linear().eval());
    const trains = jit.trace(
      (x: Tensor) => {
        const loss = net.forward(x).sum();
        loss.backward();
        return loss.detach();
      },
      [ones([2, 3])],
    );
    await expect(jit.freeze(trains)).rejects.toThrow(refused(/gradients/));
  });

  test('parameters that were replaced since', async () => {
    const block = inUse();
    const traced = jit.trace(block, [image()]);
    Object.assign(block.conv, { weight: new nn.Parameter(ones([4, 2, 3, 3])) });
    await expect(jit.freeze(traced)).rejects.toThrow(refused(/no trace/));
  });

  test('what is not a trace', async () => {
    const frozen = await jit.freeze(jit.trace((x: Tensor) => x.neg(), [ones([2])]));
    await expect(jit.freeze(frozen)).rejects.toThrow(refused(/only a traced function/));
  });
});

test('a plan that is kept on disk does not know the values', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jitlens-frozen-'));
  vi.stubEnv('JITLENS_CACHE', folder);
  try {
    const files = () => (existsSync(join(folder, 'plans')) ? readdirSync(join(folder, 'plans')).length : 0);
    const of = async (by: number) => {
      const block = inUse();
      noGrad(() => block.norm.weight?.mul_(by));
      const frozen = await jit.freeze(jit.trace(block, [image()]));
      await setImmediate();
      expectSame(await read(frozen(image())), await read(block.forward(image())), CLOSE, `scaled by ${by}`);
      return { files: files(), stages: onlyTrace(frozen).plan?.stages.map((s) => s.name) };
    };
    const [first, second] = [await of(1), await of(3)];
    expect(second.files).toBe(first.files);
    expect(first.stages).not.toContain('from the cache');
    expect(second.stages).toContain('from the cache');
  } finally {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  }
});

test.each(Array.from({ length: 40 }, (_, i) => i + 500))('random products, frozen, seed %d', async (seed) => {
  const { make, input, text } = frozenProgram(seed);
  const x = () => randomTensor(input, seed);
  const want = await onReference(() => read(make()(x())));
  const frozen = await jit.freeze(jit.trace(make(), [x()]));
  const scale = Math.max(1, ...want.flatMap((r) => r.values.map(Math.abs)));
  expectSame(await read(frozen(x())), want, { relative: 2e-5, absolute: 2e-5 * scale }, text);
});

test('sizes of a dynamic dim are frozen one by one', async () => {
  const block = inUse();
  const traced = jit.trace(block, [image()]);
  const sizes = [3, 4, 5].map((n) => randomTensor([n, 2, 5, 6], n));
  for (const x of sizes) traced(x);
  const frozen = await jit.freeze(traced);
  for (const x of sizes) {
    expect(launched(() => frozen(x))).toBe(1);
    expectSame(await read(frozen(x)), await read(block.forward(x)), CLOSE, `batch ${x.size(0)}`);
  }
});

test('a residual block is two kernels', async () => {
  const block = seeded(() => new BasicBlock(4, 8, 2));
  block.modules().forEach((m) => m instanceof nn.BatchNorm2d && settle(m));
  block.eval();
  const x = randomTensor([1, 4, 6, 6]);
  const traced = jit.trace(block, [x]);
  const frozen = await jit.freeze(traced);
  expect(opsOf(frozen)?.filter((name) => name !== 'view')).toEqual([
    'convolution',
    'add',
    'relu',
    'convolution',
    'add',
    'convolution',
    'add',
    'add',
    'relu',
  ]);
  // Two norms and their convolutions are more than one kernel can bind.
  expect([dispatches(traced), dispatches(frozen)]).toEqual([3, 2]);
  expectSame(await read(frozen(x)), await read(block.forward(x)), CLOSE, 'frozen');
});
