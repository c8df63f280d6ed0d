/** Memory of gradients: what backward makes on the way is given back when it ends, and nothing that somebody holds. */
import { describe, expect, it } from 'vitest';
import { grad, jit, randn, range, tensor, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';

const SIZE = 4096;
const BYTES = 4 * SIZE;

function liveBytes(): number {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('no GPU');
  return backend.gpu.pool.memory.liveBytes;
}

/** Bytes that stay after `body`, in vectors of SIZE. */
function left(body: () => void): number {
  const before = liveBytes();
  body();
  return (liveBytes() - before) / BYTES;
}

const values = async (x: Tensor | undefined) => Array.from((await x?.data()) ?? []);

describe('backward', () => {
  const chain = (x: Tensor) => {
    let y = x;
    for (const _ of range(20)) y = y.tanh().mul(1.5).add(x);
    return y;
  };

  it('leaves the gradient of the leaf and nothing else', () => {
    const x = randn([SIZE]).requiresGrad_();
    const y = chain(x);
    const seed = randn([SIZE]);
    expect(left(() => y.backward(seed, { retainGraph: true }))).toBe(1);
    expect(left(() => y.backward(seed))).toBe(0);
  });

  it('has little alive at any time', () => {
    const x = randn([SIZE]).requiresGrad_();
    const y = chain(x);
    const seed = randn([SIZE]);
    const backend = currentBackend();
    if (!(backend instanceof GpuBackend)) throw new Error('no GPU');
    backend.gpu.pool.resetPeak();
    const before = liveBytes();
    y.backward(seed);
    expect((backend.gpu.pool.memory.peakBytes - before) / BYTES).toBeLessThan(8);
  });

  it('keeps what hooks saw, what is retained, and what grad() returns', async () => {
    const x = randn([SIZE]).requiresGrad_();
    const [a, b] = [x.mul(2), x.mul(3)];
    const seen: Tensor[] = [];
    a.registerHook((g) => {
      seen.push(g);
      return undefined;
    });
    b.retainGrad();
    const y = a.mul(b).tanh();
    const seed = randn([SIZE]);
    expect(left(() => y.backward(seed, { retainGraph: true }))).toBe(3);
    const [first = 0] = await values(b.grad);
    const [other = 0] = await values(seen[0]);
    const [[p = 0], [q = 0]] = [await values(a), await values(b)];
    expect(first * q).toBeCloseTo(other * p, 4);
    expect(left(() => grad([y], [x, a], { gradOutputs: [seed] }))).toBe(3);
  });

  it('gives nothing back that a trace recorded', async () => {
    const x = tensor([1, 2, 3]).requiresGrad_();
    const step = () => {
      x.grad = undefined;
      const y = chain(x)
        .mul(tensor([1, 2, 4]))
        .sum();
      y.backward();
      return y.detach();
    };
    step();
    const eager = await values(x.grad);
    const traced = jit.trace(step, []);
    for (const _ of range(2)) {
      traced();
      (await values(x.grad)).forEach((g, i) => expect(g).toBeCloseTo(eager[i] ?? NaN, 3));
    }
  });
});
