/** @file One compile, in a process that does nothing else. In: the name of a case. Out: its figures as a line of JSON. */
import { jit, manualSeed, noGrad, rand, randn, range, type Tensor } from 'jitlens';
import { Conv2d } from '../../extension/samples/conv2d.ts';
import { LSTMCell, RecurrentLayer } from '../../extension/samples/lstm.ts';
import { difference } from '../../runtime/host/check.ts';
import { currentBackend } from '../../runtime/tensor/backend.ts';

interface Made {
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: Tensor[];
}

const TOLERANCE = 1e-4;

const cases: Readonly<Record<string, () => Made>> = {
  'conv2d-handwritten': () => {
    const module = new Conv2d(3, 16, 3);
    return { fn: (x: Tensor) => noGrad(() => module.forward(x)), inputs: [rand([1, 3, 64, 64])] };
  },
  // 100 steps, forward and backward, the gradients of all parameters added up.
  'lstm-train': () => {
    const module = new RecurrentLayer(new LSTMCell(32, 32));
    const fn = (x: Tensor, h: Tensor, c: Tensor) => {
      module.zeroGrad();
      module.forward(x, [h, c])[0].sum().backward();
      const grads = [...module.parameters()].flatMap((p) => (p.grad ? [p.grad.abs().sum()] : []));
      return grads.reduce((a, b) => a.add(b));
    };
    return { fn, inputs: [randn([100, 4, 32]), randn([4, 32]), randn([4, 32])] };
  },
  'chain-1000': () => chain(1000),
  'chain-10000': () => chain(10_000),
};

/** Ops of six kinds in turn, each of which reads the one before. */
function chain(count: number): Made {
  const steps: ((x: Tensor, y: Tensor) => Tensor)[] = [
    (x, y) => x.mul(y),
    (x) => x.add(0.5),
    (x) => x.tanh(),
    (x, y) => x.sub(y),
    (x) => x.relu(),
    (x) => x.div(1.5),
  ];
  const fn = (x: Tensor, y: Tensor) => {
    let result = x;
    for (const i of range(count)) result = steps[i % steps.length]?.(result, y) ?? result;
    return result;
  };
  return { fn, inputs: [rand([64, 64]), rand([64, 64])] };
}

/** The exit code: 1 when values differ from those of an eager run. */
export async function compileOne(name: string): Promise<number> {
  const make = cases[name];
  if (!make) return 2;
  manualSeed(0);
  const { fn, inputs } = make();
  await currentBackend().sync();
  const before = process.cpuUsage();
  const start = performance.now();
  const traced = jit.trace(fn, inputs);
  const compiled = performance.now() - start;
  const got = await traced(...inputs).data();
  const ready = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  const { plan } = traced.info.compiled[0] ?? {};
  if (!plan) return 2;
  await plan.ready;
  const sums = new Map<string, number>();
  for (const { name: stage, ms } of plan.stages) sums.set(stage, (sums.get(stage) ?? 0) + ms);
  const spent = [...sums].reduce((sum, [stage, ms]) => sum + (stage === 'pipelines' ? 0 : ms), 0);
  const { relative } = difference([got], [await fn(...inputs).data()]);
  if (!(relative <= TOLERANCE)) {
    console.error(`${name}: values differ from eager by ${relative}`);
    return 1;
  }
  const figures = {
    case: name,
    ready_ms: fixed(ready),
    cpu_ms: fixed((user + system) / 1000),
    record_ms: fixed(compiled - spent),
    stages: Object.fromEntries([...sums].map(([stage, ms]) => [stage, fixed(ms)])),
    nodes: plan.optimised.graph.nodes.length,
    kernels: plan.kernels.length,
    pipelines: new Set(plan.kernels.map((k) => k.pipeline)).size,
    device: currentBackend().info.name,
  };
  console.log(JSON.stringify(figures));
  return 0;
}

const fixed = (ms: number): number => Number(ms.toFixed(1));
