/**
 * @file What the peers' benchmarks share. In: for each case, functions of a peer that make its result. Out: a JSON line for each,
 * as `npm run bench` prints them. Some elements of a result are compared with plain JavaScript before anything is timed.
 */
const RUNS = 30;
const WARMUP = 8;
const BACK_TO_BACK = 50;
const BUDGET_MS = 20_000;
const CHECKED = 5;

const args = process.argv.slice(2);
/** Tries the scripts where there is no GPU; the figures mean nothing, and the cases are named so. */
const small = args.includes('--small');
const wanted = args.filter((a) => a !== '--small');

/** Sizes as in cases.ts. */
const [side, steps, batch, hidden, rows, columns] = small ? [20, 3, 4, 8, 16, 32] : [512, 100, 64, 512, 4096, 1024];
const out = side - 2;
export const conv = { side, out, columns };
export const lstm = { steps, batch, hidden };

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

const pointwise = (n) => ({
  shapes: { a: [n] },
  at: ({ a }, i) => {
    const c = Math.tanh(a[i] * 1.5 + 0.25);
    return Math.max(0, Math.exp(sigmoid(c * a[i]) - 0.5) * c) + a[i];
  },
});

const matmul = (n) => ({
  shapes: { a: [n, n], b: [n, n] },
  at: ({ a, b }, i) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += a[Math.floor(i / n) * n + k] * b[k * n + (i % n)];
    return sum;
  },
});

const rowOf = (x, i) => Array.from(x.subarray(Math.floor(i / columns) * columns, (Math.floor(i / columns) + 1) * columns));

/** Name → shapes of the inputs, and one element of the result from them. */
export const cases = {
  'conv2d-handwritten': {
    // [1, 3, side, side] and [16, 3, 9] → [1, 16, side − 2, side − 2]
    shapes: { x: [1, 3, side, side], w: [16, 3, 9] },
    at: ({ x, w }, i) => {
      const [o, row, column] = [Math.floor(i / out ** 2), Math.floor(i / out) % out, i % out];
      let sum = 0;
      for (let c = 0; c < 3; c++)
        for (let k = 0; k < 9; k++)
          sum += w[(o * 3 + c) * 9 + k] * x[(c * side + row + Math.floor(k / 3)) * side + column + (k % 3)];
      return sum;
    },
  },
  lstm: {
    // x [steps, batch, hidden], weights transposed [hidden, 4 · hidden], one bias → all h, [steps, batch, hidden]
    shapes: {
      x: [steps, batch, hidden],
      h: [batch, hidden],
      c: [batch, hidden],
      wi: [hidden, 4 * hidden],
      wh: [hidden, 4 * hidden],
      b: [4 * hidden],
    },
    scale: { wi: 0.1, wh: 0.1 },
    at: ({ x, h, c, wi, wh, b }, i) => {
      const [step, row, column] = [Math.floor(i / (batch * hidden)), Math.floor(i / hidden) % batch, i % hidden];
      const state = (y) => y.slice(row * hidden, (row + 1) * hidden);
      let [hs, cs] = [state(h), state(c)];
      for (let t = 0; t <= step; t++) {
        const gates = Float64Array.from(b);
        for (let k = 0; k < hidden; k++)
          for (let g = 0; g < 4 * hidden; g++)
            gates[g] += x[(t * batch + row) * hidden + k] * wi[k * 4 * hidden + g] + hs[k] * wh[k * 4 * hidden + g];
        const gate = (n, j) => gates[n * hidden + j];
        cs = cs.map((v, j) => sigmoid(gate(1, j)) * v + sigmoid(gate(0, j)) * Math.tanh(gate(2, j)));
        hs = cs.map((v, j) => sigmoid(gate(3, j)) * Math.tanh(v));
      }
      return hs[column];
    },
  },
  'pointwise-2^22': pointwise(small ? 1 << 10 : 1 << 22),
  'pointwise-2^26': pointwise(small ? 1 << 12 : 1 << 26),
  'matmul-f32-1024': matmul(small ? 32 : 1024),
  'matmul-f32-4096': matmul(small ? 64 : 4096),
  softmax: {
    shapes: { x: [rows, columns] },
    at: ({ x }, i) => Math.exp(x[i]) / rowOf(x, i).reduce((sum, v) => sum + Math.exp(v), 0),
  },
  'layernorm-gelu': {
    shapes: { x: [rows, columns], g: [columns], b: [columns] },
    at: ({ x, g, b }, i) => {
      const row = rowOf(x, i);
      const mean = row.reduce((sum, v) => sum + v, 0) / columns;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / columns;
      const y = ((x[i] - mean) / Math.sqrt(variance + 1e-5)) * g[i % columns] + b[i % columns];
      return 0.5 * y * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (y + 0.044715 * y ** 3)));
    },
  },
};

/** The same numbers in every run, from −1 to 1. */
function values(count, seed, scale = 1) {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return scale * ((2 * state) / 2 ** 32 - 1);
  });
}

/** For peers that take WebGPU from a browser: `webgpu` must be installed beside them. */
export async function browserLike() {
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const navigator = { gpu: create(['enable-dawn-features=allow_unsafe_apis']), userAgent: 'node', hardwareConcurrency: 4 };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
}

/**
 * Times every case that the peer has. `modes[case]` is mode → (inputs, shapes) → a function that gives a result, or a promise
 * of one; `peer` says how to wait for a result, how to read it and how to let go of it.
 */
export async function bench(peer, modes) {
  for (const [name, { shapes, scale = {}, at }] of Object.entries(cases)) {
    if (!modes[name] || (wanted.length > 0 && !wanted.some((w) => name.startsWith(w)))) continue;
    const inputs = Object.fromEntries(
      Object.entries(shapes).map(([key, shape], i) => [
        key,
        values(
          shape.reduce((a, b) => a * b, 1),
          i + 1,
          scale[key],
        ),
      ]),
    );
    for (const [mode, make] of Object.entries(modes[name])) {
      const line = { peer: peer.name, case: small ? `${name} (small)` : name, mode };
      try {
        const once = await make(inputs, shapes);
        await check(peer, once, (i) => at(inputs, i));
        console.log(JSON.stringify({ ...line, ...(await time(peer, once)) }));
      } catch (error) {
        console.log(JSON.stringify({ ...line, error: String(error).slice(0, 200) }));
      }
    }
  }
}

async function check(peer, once, at) {
  const result = await once();
  const data = await peer.read(result);
  await peer.free(result);
  for (let k = 0; k < CHECKED; k++) {
    const i = Math.floor(((k + 0.5) * data.length) / CHECKED);
    const want = at(i);
    if (!(Math.abs(data[i] - want) <= 1e-4 * Math.max(1, Math.abs(want))))
      throw new Error(`element ${i} is ${data[i]}, not ${want}`);
  }
}

async function time(peer, once) {
  const run = async () => {
    const start = performance.now();
    const result = await once();
    await peer.wait(result);
    const ms = performance.now() - start;
    await peer.free(result);
    return ms;
  };
  for (let i = 0; i < WARMUP; i++) await run();
  const times = [];
  const begin = performance.now();
  while (times.length < RUNS && (times.length < 3 || performance.now() - begin < BUDGET_MS)) times.push(await run());
  const start = performance.now();
  let last;
  for (let i = 0; i < BACK_TO_BACK; i++) {
    if (last) await peer.free(last);
    last = await once();
  }
  await peer.wait(last);
  const throughput = (performance.now() - start) / BACK_TO_BACK;
  await peer.free(last);
  times.sort((a, b) => a - b);
  const fixed = (ms) => Number(ms.toFixed(4));
  return { ms: fixed(times[times.length >> 1]), min: fixed(times[0]), throughput_ms: fixed(throughput) };
}
