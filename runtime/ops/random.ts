/**
 * @file Random numbers. In: a shape. Out: numbers that follow from the seed, from how many tensors were drawn before, and from
 * an element's place in its tensor, and from nothing else: so they are the same on every device, eager and traced. What has
 * been drawn is counted in a tensor, which every draw changes in place, so a trace draws anew at each call.
 */
import { JitLensError } from '../errors.ts';
import { currentBackend, type Backend } from '../tensor/backend.ts';
import { contiguous } from '../tensor/layout.ts';
import { outsideScopes } from '../tensor/scope.ts';
import { formatShape, needList, numel, type Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { add } from './binary.ts';
import { elementwiseSpec, inPlace, op, parametric, type Op } from './define.ts';
import { LOG } from './functions/exponential.ts';
import { SINE } from './functions/angle.ts';
import { MULTIPLY_HIGH, multiplyHigh, philox, PHILOX } from './functions/philox.ts';
import { activeRecorder, withRecorder } from './recorder.ts';
import type { RandomSpec } from './spec.ts';
import { noGrad } from './tape.ts';
import { copy_ } from './ternary.ts';
import { select } from './views.ts';

/** [seed, tensors drawn], uint32, one for each device. */
const states = new Map<Backend, Tensor>();
let seed = 0;

/** Starts all random numbers anew from `value`, a whole number below 2³². Without it the seed is 0. */
export function manualSeed(value: number): void {
  if (!Number.isInteger(value)) throw new JitLensError('JLT-RANGE', `manualSeed: ${value} is no seed`, 'Give a whole number.');
  seed = value >>> 0;
  for (const [backend, state] of states) {
    // A trace is of one device's ops.
    withRecorder(backend === currentBackend() ? activeRecorder() : undefined, () => {
      copy_(select(state, 0, 0), seed);
      copy_(select(state, 0, 1), 0);
    });
  }
}

/** What `manualSeed` was last given. */
export function initialSeed(): number {
  return seed;
}

/** The generator's state on the current device. */
function stateNow(): Tensor {
  const backend = currentBackend();
  const known = states.get(backend);
  if (known) return known;
  const made = outsideScopes(() => new Tensor(backend.upload('uint32', [seed, 0]), contiguous([2])));
  states.set(backend, made);
  return made;
}

/** Whether it is a generator's state: what runs again must not find it changed. */
export function isGenerator(x: Tensor): boolean {
  return states.get(x.storage.backend) === x;
}

/** What the generator of the current device is at, for `withGenerator`. */
export function generatorState(): Tensor {
  return stateNow().clone();
}

/** Runs `body` with random numbers as they were drawn from `state` on, then goes on from where things stood. */
export function withGenerator<T>(state: Tensor, body: () => T): T {
  const own = stateNow();
  const now = own.clone();
  copy_(own, state);
  try {
    return body();
  } finally {
    copy_(own, now);
  }
}

type Form = Pick<RandomSpec['element'], 'wgsl' | 'reference' | 'prelude'> & { readonly flops: number };

function randomSpec(name: string, dtype: 'float32' | 'uint32', form: Form): RandomSpec {
  return {
    kind: 'random',
    name,
    samples: [],
    tolerance: { relative: 1e-5, absolute: 1e-6 },
    element: elementwiseSpec(['i', 'k', 'n'], { ...form, name, compute: 'kept', result: dtype }),
    infer: (_inputs, attributes) => ({ shape: attributes['shape'] as Shape, dtype }),
    flops: (_inputs, _attributes, out) => numel(out.shape) * form.flops,
  };
}

const block = new Uint32Array(4);
/** Word `lane` of the block in which place `i` lies. */
function wordOf(i: number, k: number, n: number, lane = i % 4): number {
  philox(Math.floor(i / 4), n, k, block, 0);
  return block[lane] ?? 0;
}

/** Four places share a block. A thread that has them one after the other computes it once: the last one is kept. */
const BLOCK = [
  ...PHILOX,
  `var<private> jl_drawn: vec4<u32>;
var<private> jl_words: vec4<u32>;
fn jl_block(block: u32, draw: u32, seed: u32) -> vec4<u32> {
  let wanted = vec4<u32>(block, draw, seed, 1u);
  if (any(jl_drawn != wanted)) {
    jl_words = jl_philox(block, draw, seed);
    jl_drawn = wanted;
  }
  return jl_words;
}`,
];
const WORD = 'fn jl_random(i: u32, k: u32, n: u32) -> u32 { return jl_block(i >> 2u, n, k)[i & 3u]; }';

const wordSpec = randomSpec('random words', 'uint32', {
  wgsl: 'jl_random(i, k, n)',
  prelude: [...BLOCK, WORD],
  flops: 100,
  reference: (i, k, n) => wordOf(i, k, n),
});

const uniformSpec = randomSpec('rand', 'float32', {
  wgsl: '(f32(jl_random(i, k, n) >> 8u) * 5.9604644775390625e-8)',
  prelude: [...BLOCK, WORD],
  flops: 102,
  reference: (i, k, n) => (wordOf(i, k, n) >>> 8) / 2 ** 24,
});

// Box and Muller: a pair of words gives a pair of numbers, the cosine and the sine of one angle. The angle is a whole number
// of quarter turns and a rest between −π/4 and π/4, both exact.
const normalSpec = randomSpec('randn', 'float32', {
  wgsl: 'jl_normal(i, k, n)',
  prelude: [
    ...BLOCK,
    ...LOG,
    ...SINE,
    `fn jl_normal(i: u32, k: u32, n: u32) -> f32 {
  let words = jl_block(i >> 2u, n, k);
  let pair = select(words.xy, words.zw, (i & 2u) != 0u);
  let radius = sqrt(-2.0 * jl_log((f32(pair.x >> 8u) + 1.0) * 5.9604644775390625e-8));
  let turn = i32(pair.y >> 8u) + 2097152;
  let rest = f32((turn & 0x3fffff) - 2097152) * 3.74507028e-7;
  let quadrant = ((turn >> 22u) - i32(i & 1u)) & 3;
  let size = select(jl_cosine_near(rest), jl_sine_near(rest), (quadrant & 1) == 1);
  return radius * select(size, -size, (quadrant == 1) | (quadrant == 2));
}`,
  ],
  flops: 150,
  reference: (i, k, n) => {
    const pair = i % 4 < 2 ? 0 : 2;
    const radius = Math.sqrt(-2 * Math.log(((wordOf(i, k, n, pair) >>> 8) + 1) / 2 ** 24));
    const angle = (2 * Math.PI * (wordOf(i, k, n, pair + 1) >>> 8)) / 2 ** 24;
    return radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
  },
});

const addInPlace = inPlace(add);

function draw(spec: RandomSpec, shape: Shape): Tensor {
  if (needList(shape, 'random numbers').some((size) => !Number.isInteger(size) || size < 0)) {
    throw new JitLensError('JLT-SHAPE', `${formatShape(shape)} is not a shape`, 'Sizes are whole numbers from 0.');
  }
  const state = stateNow();
  return noGrad(() => {
    const drawn = select(state, 0, 1);
    const made = apply(spec, [select(state, 0, 0), drawn], { shape });
    addInPlace(drawn, 1);
    return made;
  });
}

/** uint32 words, all equally likely. */
export const words = (shape: Shape): Tensor => draw(wordSpec, shape);
/** float32, uniform on [0, 1): multiples of 2⁻²⁴. */
export const uniform = (shape: Shape): Tensor => draw(uniformSpec, shape);
/** float32, standard normal. */
export const normal = (shape: Shape): Tensor => draw(normalSpec, shape);

/** ⌊word · end / 2³²⌋: words spread evenly over the whole numbers below `end`. */
export const belowWord: Op<[word: Tensor, end: number]> = parametric({
  name: 'below',
  params: ['a', 'b'],
  operands: (...operands) => operands,
  wgsl: 'jl_below(a, b)',
  prelude: [...MULTIPLY_HIGH, 'fn jl_below(a: u32, b: u32) -> u32 { return select(jl_product_high(a, b), a, b == 0u); }'],
  compute: 'kept',
  flops: 12,
  // 2³² has no place in a word, where it is 0.
  reference: (a, b) => (b === 0 ? a : multiplyHigh(a, b)),
});

const kept: Op<[x: Tensor, chance: Tensor, p: number]> = parametric({
  name: 'dropout',
  params: ['x', 'r', 'p'],
  operands: (...operands) => operands,
  wgsl: 'jl_kept(x, r, p)',
  prelude: ['fn jl_kept(x: f32, r: f32, p: f32) -> f32 { return select(x / (1.0 - p), 0.0, r < p); }'],
  compute: 'float',
  flops: 2,
  reference: (x, r, p) => (r < p ? 0 : x / (1 - p)),
  grad: (g, _out, _x, chance, p) => [kept(g, chance, p)],
});

/** Refuses what is no share of a whole. */
export function checkShare(name: string, p: number): void {
  if (p >= 0 && p <= 1) return;
  throw new JitLensError('JLT-RANGE', `${name}: a share of ${p}`, 'Give a number from 0 to 1.');
}

type Dropout = Op<[x: Tensor, p?: number, training?: boolean]>;

function dropping(name: string, chances: (shape: Shape) => Shape, samples: readonly string[]): Dropout {
  return op({ name, samples, tolerance: { relative: 1e-5, absolute: 1e-6 }, domain: [-2, 2] }, (x, p = 0.5, training = true) => {
    checkShare(name, p);
    if (!training || p === 0) return x;
    return p === 1 ? x.mul(0) : kept(x, uniform(chances(x.shape)), p);
  });
}

/** Each element 0 with probability `p` (0.5), the others divided by 1 − p; x itself unless `training`. */
export const dropout: Dropout = dropping('dropout', (shape) => shape, ['f32[3,5] 0.5 false', 'f32[4] 0', 'f32[3] 1']);
/** As `dropout`, for whole channels of [batch, channels, …] at once. */
export const dropout2d: Dropout = dropping('dropout2d', (shape) => shape.map((size, d) => (d < 2 ? size : 1)), [
  'f32[2,3,4,4] 0.5 false',
  'f32[2,3,2,2] 1',
]);
