/**
 * @file ONNX Runtime on its WebGPU provider. In: case names, all when left out. Out: JSON lines. Models are written here, as
 * protobuf by hand. Needs `npm install onnxruntime-node` (1.30.0) where it is run. `run` takes inputs from and gives results to
 * host memory, so a figure has both copies in it. `JITLENS_ORT=cpu` tries the script where there is no GPU.
 */
import * as ort from 'onnxruntime-node';
import { bench, conv, lstm } from './common.mjs';

const provider = process.env.JITLENS_ORT ?? 'webgpu';

// Protobuf: a field is its number and wire type, then a varint (0), bytes (2) or four bytes (5).
const varint = (n) => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);
const number = (field, n) => Buffer.from([...varint(field * 8), ...varint(n)]);
const bytes = (field, data) => {
  const body = Buffer.from(data);
  return Buffer.concat([Buffer.from([...varint(field * 8 + 2), ...varint(body.length)]), body]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));
const float = (field, x) => Buffer.concat([Buffer.from(varint(field * 8 + 5)), Buffer.from(Float32Array.of(x).buffer)]);

const FLOAT = 1;
const value = (field, name, shape) => {
  const dims = message(2, ...shape.map((n) => message(1, number(1, n))));
  return message(field, bytes(1, name), message(2, message(1, number(1, FLOAT), dims)));
};
const attribute = (name, x) => {
  if (Array.isArray(x)) return message(5, bytes(1, name), ...x.map((n) => number(8, n)), number(20, 7));
  if (typeof x === 'string') return message(5, bytes(1, name), bytes(4, x), number(20, 3));
  return Number.isInteger(x)
    ? message(5, bytes(1, name), number(3, x), number(20, 2))
    : message(5, bytes(1, name), float(2, x), number(20, 1));
};
/** `y = Op(a, b) key=…` */
const node = (outputs, op, inputs, attributes = {}) =>
  message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...Object.entries(attributes).map(([name, x]) => attribute(name, x)),
  );
const constant = (name, shape, data) =>
  message(5, ...shape.map((n) => number(1, n)), number(2, FLOAT), bytes(8, name), bytes(9, Buffer.from(data.buffer)));
const scalar = (name, x) => constant(name, [], Float32Array.of(x));

/** Nodes from the inputs to `y`. What is named in `weights` is part of the model. */
const model = (nodes, result, { weights = {}, scalars = {} } = {}) => ({
  run: async (inputs, shapes) => {
    const fed = Object.keys(inputs).filter((key) => !(key in weights));
    const graph = message(
      7,
      ...nodes,
      bytes(2, 'case'),
      ...Object.entries(weights).map(([key, shape]) => constant(key, shape, inputs[key])),
      ...Object.entries(scalars).map(([key, x]) => scalar(key, x)),
      ...fed.map((key) => value(11, key, shapes[key])),
      value(12, 'y', result(shapes)),
    );
    const text = Buffer.concat([number(1, 8), graph, message(8, bytes(1, ''), number(2, 20))]);
    const session = await ort.InferenceSession.create(text, { executionProviders: [provider] });
    const feeds = Object.fromEntries(fed.map((key) => [key, new ort.Tensor('float32', inputs[key], shapes[key])]));
    return () => session.run(feeds);
  },
});

const pointwise = model(
  [
    node(['scaled'], 'Mul', ['a', 'k']),
    node(['shifted'], 'Add', ['scaled', 'quarter']),
    node(['c'], 'Tanh', ['shifted']),
    node(['ca'], 'Mul', ['c', 'a']),
    node(['s'], 'Sigmoid', ['ca']),
    node(['sh'], 'Sub', ['s', 'half']),
    node(['g'], 'Exp', ['sh']),
    node(['gc'], 'Mul', ['g', 'c']),
    node(['r'], 'Relu', ['gc']),
    node(['y'], 'Add', ['r', 'a']),
  ],
  ({ a }) => a,
  { scalars: { k: 1.5, quarter: 0.25, half: 0.5 } },
);
const matmul = model([node(['y'], 'MatMul', ['a', 'b'])], ({ a }) => a);

/** `x` of a step is [1, batch, 4 · hidden], and so the state gets a dim of 1 in front. */
const step = (t) => [
  node([`xh${t}`], 'MatMul', [`h${t}`, 'wh']),
  node([`sum${t}`], 'Add', [`x${t}`, `xh${t}`]),
  node([`i${t}`, `f${t}`, `z${t}`, `o${t}`], 'Split', [`sum${t}`], { axis: 2, num_outputs: 4 }),
  ...['i', 'f', 'o'].map((gate) => node([`s${gate}${t}`], 'Sigmoid', [`${gate}${t}`])),
  node([`tz${t}`], 'Tanh', [`z${t}`]),
  node([`kept${t}`], 'Mul', [`sf${t}`, `c${t}`]),
  node([`new${t}`], 'Mul', [`si${t}`, `tz${t}`]),
  node([`c${t + 1}`], 'Add', [`kept${t}`, `new${t}`]),
  node([`tc${t}`], 'Tanh', [`c${t + 1}`]),
  node([`h${t + 1}`], 'Mul', [`so${t}`, `tc${t}`]),
];
const { steps, batch, hidden } = lstm;
const range = (each) => Array.from({ length: steps }, (_, t) => each(t));

await bench(
  {
    name: 'onnxruntime',
    // A run is over when its results are in host memory.
    wait: () => undefined,
    read: ({ y }) => y.data,
    free: ({ y }) => y.dispose(),
  },
  {
    'conv2d-handwritten': model([node(['y'], 'Conv', ['x', 'w'], { kernel_shape: [3, 3] })], () => [1, 16, conv.out, conv.out], {
      weights: { w: [16, 3, 3, 3] },
    }),
    lstm: model(
      [
        node(['xw'], 'MatMul', ['x', 'wi']),
        node(['xb'], 'Add', ['xw', 'b']),
        node(
          range((t) => `x${t}`),
          'Split',
          ['xb'],
          { axis: 0, num_outputs: steps },
        ),
        node(['h0'], 'Identity', ['h']),
        node(['c0'], 'Identity', ['c']),
        ...range(step).flat(),
        node(
          ['y'],
          'Concat',
          range((t) => `h${t + 1}`),
          { axis: 0 },
        ),
      ],
      () => [steps, batch, hidden],
      { weights: { wi: [hidden, 4 * hidden], wh: [hidden, 4 * hidden], b: [4 * hidden] } },
    ),
    'pointwise-2^22': pointwise,
    'pointwise-2^26': pointwise,
    'matmul-f32-1024': matmul,
    'matmul-f32-4096': matmul,
    softmax: model([node(['y'], 'Softmax', ['x'], { axis: 1 })], ({ x }) => x),
    'layernorm-gelu': model(
      [node(['n'], 'LayerNormalization', ['x', 'g', 'b'], { axis: 1 }), node(['y'], 'Gelu', ['n'], { approximate: 'tanh' })],
      ({ x }) => x,
      { weights: { g: [conv.columns], b: [conv.columns] } },
    ),
  },
);
