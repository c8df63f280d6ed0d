/**
 * @file Counter-based random numbers: Philox 4×32 with 10 rounds (Salmon et al., “Parallel random numbers: as easy as
 * 1, 2, 3”, 2011). In: the seed and a running counter. Out: the same numbers on every device and in every mode.
 */
const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;

let seed = 0;
let counter = 0;

/** Starts the sequence of random numbers anew. Without it, the seed is 0. */
export function manualSeed(value: number): void {
  seed = value >>> 0;
  counter = 0;
}

/** Upper half of the 64-bit product of two 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Four random words for a 64-bit counter, written to `out` from `at`. */
export function philox(low: number, high: number, key: number, out: Uint32Array, at: number): void {
  let [c0, c1, c2, c3] = [low >>> 0, high >>> 0, 0, 0];
  let [k0, k1] = [key >>> 0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const [h0, l0] = [multiplyHigh(MULTIPLIERS[0], c0), Math.imul(MULTIPLIERS[0], c0) >>> 0];
    const [h1, l1] = [multiplyHigh(MULTIPLIERS[1], c2), Math.imul(MULTIPLIERS[1], c2) >>> 0];
    [c0, c1, c2, c3] = [(h1 ^ c1 ^ k0) >>> 0, l1, (h0 ^ c3 ^ k1) >>> 0, l0];
    k0 = (k0 + KEY_STEPS[0]) >>> 0;
    k1 = (k1 + KEY_STEPS[1]) >>> 0;
  }
  out[at] = c0;
  out[at + 1] = c1;
  out[at + 2] = c2;
  out[at + 3] = c3;
}

/** `count` random words, rounded up to a multiple of four; the counter moves on. */
function words(count: number): Uint32Array {
  const blocks = Math.ceil(count / 4);
  const out = new Uint32Array(blocks * 4);
  for (let block = 0; block < blocks; block++, counter++) philox(counter, Math.floor(counter / 2 ** 32), seed, out, block * 4);
  return out;
}

/** Uniform on [0, 1), multiples of 2⁻²⁴. */
export function uniform(count: number): Float32Array {
  return Float32Array.from(words(count).subarray(0, count), (word) => (word >>> 8) / 2 ** 24);
}

/** Standard normal, by the Box–Muller transform of pairs of words. */
export function normal(count: number): Float32Array {
  const raw = words(count + (count % 2));
  const out = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(((raw[i] ?? 0) + 1) / 2 ** 32));
    const angle = (2 * Math.PI * (raw[i + 1] ?? 0)) / 2 ** 32;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
