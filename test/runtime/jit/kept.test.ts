/** Plans that an earlier process made: the same as those that are compiled, used only for what is the same, and never in the way. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cat, full, jit, manualSeed, ones, optim, nn, rand, type Tensor } from 'jitlens';
import * as conv2d from '../../../extension/samples/conv2d.ts';
import * as equilibrium from '../../../extension/samples/equilibrium.ts';
import * as gpt from '../../../extension/samples/gpt.ts';
import * as lstm from '../../../extension/samples/lstm.ts';
import { trainingStep } from '../../../extension/samples/mnist.ts';
import * as resnet from '../../../extension/samples/resnet.ts';
import * as spade from '../../../extension/samples/spade.ts';
import * as unet from '../../../extension/samples/unet.ts';
import { instantiate } from '../../../runtime/host/subject.ts';
import type { Node } from '../../../runtime/ir/graph.ts';
import { print } from '../../../runtime/ir/print.ts';
import { compile, type Plan } from '../../../runtime/jit/compile.ts';
import type { Example } from '../../../runtime/jit/example.ts';
import { KeptPlan } from '../../../runtime/jit/kept.ts';
import type { Place } from '../../../runtime/jit/places.ts';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { expectSame, read } from '../support/compare.ts';
import { CLOSE, onlyTrace, traceOf } from '../support/traces.ts';

let folder = '';
const plans = () => join(folder, 'plans');
const files = () => (existsSync(plans()) ? readdirSync(plans()) : []);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jitlens-plans-'));
  vi.stubEnv('JITLENS_CACHE', folder);
});
afterEach(async () => {
  await setImmediate();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A plan in words that do not depend on the process. */
function described({ recorded, fusion, kernels, memory, results, inPlace }: Plan): unknown {
  const places = new Map<Node, number>(fusion.graph.nodes.map((node, i) => [node, i]));
  const recordedPlaces = new Map(recorded.nodes.map((node, i) => [node.id, i]));
  const all = (nodes: Iterable<Node>) => [...nodes].map((n) => places.get(n) ?? 'not of the graph');
  const place = (p: Place) => (p.kind === 'external' ? { kind: 'external', node: places.get(p.node) } : p);
  const group = (g: Plan['fusion']['groups'][number]) => ({ roots: all(g.roots), inside: all(g.inside), boundary: g.boundary });
  return {
    // Tensors from outside may be numbered on from trace to trace.
    graph: print(fusion.graph).replace(/ = \S+(?=\(\) \{(parameter|input|constant)\})/g, ''),
    groups: fusion.groups.map(group),
    kernels: kernels.map(({ name, sections, kernel, pipeline }) => ({
      name,
      sections: sections.map((s) => ({ group: fusion.groups.indexOf(s.group), reads: all(s.reads) })),
      ...kernel,
      text: { ...kernel.text, origins: kernel.text.origins.map((id) => (id < 0 ? id : recordedPlaces.get(id))) },
      storages: kernel.storages.map(place),
      shares: kernel.storages.map((s) => kernel.storages.indexOf(s)),
      pipeline: pipeline.form,
    })),
    memory: { ...memory, slotOf: [...memory.slotOf].map(([node, slot]) => [places.get(node), slot]) },
    results: all(results),
    inPlace: [...inPlace].map((pair) => all(pair)),
  };
}

const isKept = (plan: Plan | undefined) => plan?.stages.some((s) => s.name === 'from the cache');

/** The plan of a new trace. */
function planOf<A extends [Tensor, ...Tensor[]]>(fn: (...inputs: A) => unknown, inputs: A): Plan {
  const { plan } = onlyTrace(traceOf(fn, inputs));
  if (!plan) throw new Error('a device without kernels');
  return plan;
}

function onGpu(): GpuBackend {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('a device without kernels');
  return backend;
}

const chain = (x: Tensor) => x.mul(3).sum({ dim: 1 }).add(1).tanh();
const given = (): [Tensor] => [rand([5, 7])];

describe('a plan that was kept', () => {
  const isExample = (x: unknown): x is Example => typeof x === 'object';
  const samples: Readonly<Record<string, unknown>>[] = [conv2d, gpt, lstm, resnet, spade, unet, equilibrium, { trainingStep }];
  const examples = samples.flatMap((file) =>
    Object.entries(file).flatMap(([name, x]) => (isExample(x) ? [{ name, example: x }] : [])),
  );

  test.each(examples)('is the one that is compiled, and gives the same: $name', async ({ example }) => {
    const run = async () => {
      const compiled = await instantiate(example, false).compile();
      manualSeed(1);
      return { plans: compiled.plans, values: await read([await compiled.call()]) };
    };
    const made = await run();
    expect(made.plans.length).toBeGreaterThan(0);
    const known = await run();
    expect(known.plans.map(isKept)).toEqual(made.plans.map(() => true));
    expect(known.plans.map(described)).toEqual(made.plans.map(described));
    expectSame(known.values, made.values, CLOSE, 'kept against compiled');
  });

  test('writes parameters in place as the compiled one does', async () => {
    const run = async () => {
      manualSeed(0);
      const net = new nn.Sequential(new nn.Linear(6, 9), new nn.ReLU(), new nn.Linear(9, 4));
      const adam = new optim.Adam(net.parameters(), { lr: 0.1 });
      const step = (x: Tensor) => {
        adam.zeroGrad();
        const loss = net.forward(x).square().mean();
        loss.backward();
        adam.step();
        return loss.detach();
      };
      const traced = traceOf(step, [rand([3, 6])]);
      const losses = [traced(ones([3, 6])), traced(ones([3, 6]))];
      return { plan: onlyTrace(traced).plan, values: await read([losses, [...net.parameters()]]) };
    };
    const made = await run();
    const known = await run();
    expect(made.plan?.inPlace.size).toBeGreaterThan(0);
    expect([isKept(made.plan), isKept(known.plan)]).toEqual([false, true]);
    expectSame(known.values, made.values, CLOSE, 'kept against compiled');
  });

  test('has the joins cut where a kernel cannot bind so many tensors', async () => {
    const all = (...xs: [Tensor, ...Tensor[]]) => cat(xs, 0).mul(2);
    const inputs = Array.from({ length: 40 }, (_, i) => full([3, i + 1], i).sum({ dim: 1 })) as [Tensor, ...Tensor[]];
    const made = planOf(all, inputs);
    await setImmediate();
    const known = planOf(all, inputs);
    expect(made.fusion.wide.length).toBeGreaterThan(0);
    expect(isKept(known)).toBe(true);
    expect(described(known)).toEqual(described(made));
  });
});

describe('a plan is not used', () => {
  /** Compiled again, it is not the one that `first` left. */
  async function differs(first: () => Plan, second: () => Plan): Promise<void> {
    first();
    await setImmediate();
    expect(isKept(first())).toBe(true);
    expect(isKept(second())).toBe(false);
    await setImmediate();
    expect(isKept(second())).toBe(true);
  }

  test.each<[string, (x: Tensor) => Tensor]>([
    ['constant', (x) => x.mul(4).sum({ dim: 1 }).add(1).tanh()],
    ['attribute', (x) => x.mul(3).sum({ dim: 1, keepdim: true }).add(1).tanh()],
    ['dim', (x) => x.mul(3).sum({ dim: 0 }).add(1).tanh()],
    ['op', (x) => x.mul(3).sum({ dim: 1 }).add(1).sigmoid()],
    ['result', (x) => x.mul(3).sum({ dim: 1 }).add(1)],
  ])('by another graph: another %s', async (_what, other) => {
    await differs(
      () => planOf(chain, given()),
      () => planOf(other, given()),
    );
  });

  test('by the same code on tensors of another shape, layout or memory', async () => {
    const add = (x: Tensor, y: Tensor) => x.add(y.mul(2)).exp();
    const x = rand([6, 6]);
    const kinds: [Tensor, Tensor][] = [
      [x, rand([6, 6])],
      [x, x.slice(0, 0, 6, 1)],
      [x, rand([6, 6]).transpose(0, 1)],
      [x, rand([6, 1])],
      [x, rand([6, 6]).round().to('int32')],
    ];
    for (const inputs of kinds) {
      expect(isKept(planOf(add, inputs))).toBe(false);
      await setImmediate();
      expect(isKept(planOf(add, inputs))).toBe(true);
    }
    expect(files()).toHaveLength(kinds.length);
  });

  test('with −0 for 0', async () => {
    await differs(
      () => planOf((x) => x.atan2(0), given()),
      () => planOf((x) => x.atan2(-0), given()),
    );
  });

  test('on another device, or with other passes left out', async () => {
    const { gpu } = onGpu();
    const { recorded } = onlyTrace(traceOf(chain, given()));
    const other = Object.create(gpu, { info: { value: { ...gpu.info, driver: 'another' } } }) as typeof gpu;
    const fewer = Object.create(gpu, { device: { value: { limits: { maxStorageBuffersPerShaderStage: 4 } } } }) as typeof gpu;
    await setImmediate();
    expect(isKept(compile(recorded, gpu))).toBe(true);
    for (const device of [other, fewer]) expect(isKept(compile(recorded, device))).toBe(false);
    for (const without of ['fold', 'share']) expect(isKept(compile(recorded, gpu, [without]))).toBe(false);
    await setImmediate();
    expect(files()).toHaveLength(5);
    expect(isKept(compile(recorded, gpu, ['fold']))).toBe(true);
  });

  test('by another version of the library, or one that cannot tell which it is', async () => {
    const { gpu } = onGpu();
    const { optimised } = planOf(chain, given());
    await setImmediate();
    expect(KeptPlan.of(optimised.graph, gpu)?.read()).toBeDefined();
    expect(KeptPlan.of(optimised.graph, gpu, [], () => 'another')?.read()).toBeUndefined();
    expect(KeptPlan.of(optimised.graph, gpu, [], () => undefined)).toBeUndefined();
  });
});

describe('a file that is not what it should be is replaced, and does no harm', () => {
  const broken: [string, (file: string) => void][] = [
    ['empty', (file) => truncateSync(file, 0)],
    ['cut in its first line', (file) => truncateSync(file, 30)],
    ['cut in the middle', (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ['cut at the end', (file) => truncateSync(file, readFileSync(file).length - 1)],
    ['changed', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('tanh', 'sinh'))],
    ['of another format', (file) => writeFileSync(file, readFileSync(file, 'utf8').replace('jitlens plan', 'jitlens plan 2'))],
    ['something else', (file) => writeFileSync(file, '{"texts":[]}\n{}')],
    ['for another graph', (file) => copyFileSync(join(plans(), otherThan(file)), file)],
  ];
  const otherThan = (file: string) => files().find((name) => !file.endsWith(name)) ?? '';

  test.each(broken)('%s', async (_how, harm) => {
    const x = given();
    planOf(chain, x);
    await setImmediate();
    const file = join(plans(), files()[0] ?? '');
    const whole = readFileSync(file);
    planOf((y: Tensor) => y.exp().sum({ dim: 1 }), x);
    await setImmediate();
    harm(file);
    expect(readFileSync(file).equals(whole)).toBe(false);
    const again = traceOf(chain, x);
    expect(isKept(onlyTrace(again).plan)).toBe(false);
    expectSame(await read([again(...x)]), await read([chain(...x)]), CLOSE, 'compiled anew');
    expect(readFileSync(file).equals(whole)).toBe(true);
  });
});

test('nothing is kept where the cache is off', async () => {
  vi.stubEnv('JITLENS_CACHE', 'off');
  expect(planOf(chain, given()).stages.map((s) => s.name)).not.toContain('not in the cache');
  await setImmediate();
  expect(readdirSync(folder)).toEqual([]);
  expect(existsSync('off')).toBe(false);
});

test('a folder that cannot be written to changes nothing', async () => {
  writeFileSync(plans(), 'a file');
  const x = given();
  const traced = jit.trace(chain, x);
  expectSame(await read([traced(...x)]), await read([chain(...x)]), CLOSE, 'without a cache');
});

test('the stages say where a plan came from, and how long its pipelines took once they are there', async () => {
  const first = planOf(chain, given());
  await first.ready;
  await setImmediate();
  const chosen = ['fusion', 'kernels', 'kernels', 'side-by-side', 'kernels'];
  expect(first.stages.map((s) => s.name)).toEqual(['passes', 'not in the cache', ...chosen, 'pipelines']);
  const second = planOf(chain, given());
  await second.ready;
  expect(second.stages.map((s) => s.name)).toEqual(['passes', 'from the cache', 'pipelines']);
});
