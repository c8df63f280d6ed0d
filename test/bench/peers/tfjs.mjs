/**
 * @file TensorFlow.js on WebGPU, eager: it has no compiler. In: case names, all when left out. Out: JSON lines.
 * Needs `npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-webgpu webgpu` (4.22.0) where it is run.
 */
import { bench, browserLike, conv, lstm } from './common.mjs';

await browserLike();
const tf = await import('@tensorflow/tfjs-core');
await import('@tensorflow/tfjs-backend-webgpu');
if (!(await tf.setBackend('webgpu'))) throw new Error('TensorFlow.js found no WebGPU');

/** Inputs go to the GPU once; what a run makes on the way is let go of. */
const eager = (fn) => ({
  eager: (inputs, shapes) => {
    const tensors = Object.fromEntries(Object.entries(inputs).map(([key, data]) => [key, tf.tensor(data, shapes[key])]));
    return () => tf.tidy(() => fn(tensors));
  },
});

const pointwise = eager(({ a }) => {
  const c = tf.tanh(tf.add(tf.mul(a, 1.5), 0.25));
  const g = tf.exp(tf.sub(tf.sigmoid(tf.mul(c, a)), 0.5));
  return tf.add(tf.relu(tf.mul(g, c)), a);
});
const matmul = eager(({ a, b }) => tf.matMul(a, b));

const peer = {
  name: 'tfjs',
  wait: async () => {
    const backend = tf.backend();
    // It hands full batches over by itself; the rest has no public way.
    if (backend.commandEncoder) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
    await backend.device.queue.onSubmittedWorkDone();
  },
  read: (x) => x.data(),
  free: (x) => x.dispose(),
};

await bench(peer, {
  'conv2d-handwritten': eager(({ x, w }) => {
    const { out } = conv;
    const places = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => [i, j]));
    const windows = [0, 1, 2].map((c) =>
      tf.stack(
        places.map(([i, j]) => tf.reshape(tf.slice(x, [0, c, i, j], [1, 1, out, out]), [out * out])),
        1,
      ),
    );
    const results = Array.from({ length: 16 }, (_, o) =>
      windows
        .map((win, c) => tf.matMul(win, tf.reshape(tf.slice(w, [o, c, 0], [1, 1, 9]), [9, 1])))
        .reduce((a, b) => tf.add(a, b)),
    );
    return tf.reshape(tf.stack(results), [1, 16, out, out]);
  }),
  lstm: eager(({ x, h, c, wi, wh, b }) => {
    const outputs = [];
    for (const step of tf.unstack(x)) {
      const gates = tf.add(tf.add(tf.matMul(step, wi), tf.matMul(h, wh)), b);
      const [i, f, g, o] = tf.split(gates, 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      outputs.push(h);
    }
    return tf.reshape(tf.stack(outputs), [lstm.steps, lstm.batch, lstm.hidden]);
  }),
  'pointwise-2^22': pointwise,
  'pointwise-2^26': pointwise,
  'matmul-f32-1024': matmul,
  'matmul-f32-4096': matmul,
  softmax: eager(({ x }) => tf.softmax(x)),
  'layernorm-gelu': eager(({ x, g, b }) => {
    const { mean, variance } = tf.moments(x, 1, true);
    const y = tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), g), b);
    const inner = tf.mul(Math.sqrt(2 / Math.PI), tf.add(y, tf.mul(0.044715, tf.mul(y, tf.mul(y, y)))));
    return tf.mul(tf.mul(0.5, y), tf.add(1, tf.tanh(inner)));
  }),
});
process.exit(0);
