/**
 * @file jax-js on WebGPU, eager and with `jit`. In: case names, all when left out. Out: JSON lines.
 * Needs `npm install @jax-js/jax webgpu` (0.1.25) where it is run. An array is gone when it was used; `.ref` keeps it.
 */
import { bench, browserLike, conv, lstm } from './common.mjs';

await browserLike();
const { defaultDevice, init, jit, nn, numpy: np } = await import('@jax-js/jax');
if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js found no WebGPU');
defaultDevice('webgpu');

const both = (fn) => {
  const mode = (wrap) => (inputs, shapes) => {
    const arrays = Object.entries(inputs).map(([key, data]) => np.array(data, { shape: shapes[key] }));
    const f = wrap(fn);
    return () => f(...arrays.map((a) => a.ref));
  };
  return { eager: mode((f) => f), jit: mode((f) => jit(f)) };
};

const pointwise = both((a) => {
  const c = np.tanh(a.ref.mul(1.5).add(0.25));
  const g = np.exp(nn.sigmoid(c.ref.mul(a.ref)).sub(0.5));
  return nn.relu(g.mul(c)).add(a);
});
const matmul = both((a, b) => np.matmul(a, b));

const peer = {
  name: 'jax-js',
  wait: (x) => x.blockUntilReady(),
  read: (x) => x.ref.data(),
  free: (x) => x.dispose(),
};

await bench(peer, {
  'conv2d-handwritten': both((x, w) => {
    const { out } = conv;
    const places = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => [i, j]));
    const windows = [0, 1, 2].map((c) =>
      np.stack(places.map(([i, j]) => x.ref.slice(0, c, [i, i + out], [j, j + out]).reshape([out * out]))),
    );
    const results = Array.from({ length: 16 }, (_, o) =>
      windows.map((win, c) => np.dot(w.ref.slice(o, c), win.ref)).reduce((a, b) => a.add(b)),
    );
    for (const used of [x, w, ...windows]) used.dispose();
    return np.stack(results).reshape([1, 16, out, out]);
  }),
  lstm: both((x, h, c, wi, wh, b) => {
    const { hidden, steps } = lstm;
    const outputs = [];
    for (let t = 0; t < steps; t++) {
      const gates = np.matmul(x.ref.slice(t), wi.ref).add(np.matmul(h, wh.ref)).add(b.ref);
      const gate = (n) => gates.ref.slice([], [n * hidden, (n + 1) * hidden]);
      c = nn
        .sigmoid(gate(1))
        .mul(c)
        .add(nn.sigmoid(gate(0)).mul(np.tanh(gate(2))));
      h = nn.sigmoid(gate(3)).mul(np.tanh(c.ref));
      gates.dispose();
      outputs.push(h.ref);
    }
    for (const used of [x, h, c, wi, wh, b]) used.dispose();
    return np.stack(outputs);
  }),
  'pointwise-2^22': pointwise,
  'pointwise-2^26': pointwise,
  'matmul-f32-1024': matmul,
  'matmul-f32-4096': matmul,
  softmax: both((x) => nn.softmax(x)),
  'layernorm-gelu': both((x, g, b) => nn.gelu(nn.standardize(x).mul(g).add(b))),
});
process.exit(0);
