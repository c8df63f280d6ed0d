/**
 * @file Counter-based random words: Philox 4×32 with 10 rounds (Salmon et al., “Parallel random numbers: as easy as 1, 2, 3”,
 * 2011), for kernels and for the host. In: a counter and a key. Out: the same words on every device. The two are written apart,
 * so that each can be held against the other.
 */
const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;

/** Upper half of the 64-bit product of two 32-bit words. */
export function multiplyHigh(a: number, b: number): number {
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

export const MULTIPLY_HIGH: readonly string[] = [
  `fn jl_product_high(a: u32, b: u32) -> u32 {
  let middle = (a & 0xffffu) * (b >> 16u) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let upper = (a >> 16u) * (b & 0xffffu) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (upper >> 16u);
}`,
];

/** The four words of block `block` of draw `draw`. */
export const PHILOX: readonly string[] = [
  ...MULTIPLY_HIGH,
  `fn jl_philox(block: u32, draw: u32, seed: u32) -> vec4<u32> {
  var c = vec4<u32>(block, draw, 0u, 0u);
  var k = vec2<u32>(seed, 0u);
  for (var round = 0; round < ${ROUNDS}; round++) {
    let high = vec2<u32>(jl_product_high(${MULTIPLIERS[0]}u, c.x), jl_product_high(${MULTIPLIERS[1]}u, c.z));
    let low = vec2<u32>(${MULTIPLIERS[0]}u * c.x, ${MULTIPLIERS[1]}u * c.z);
    c = vec4<u32>(high.y ^ c.y ^ k.x, low.y, high.x ^ c.w ^ k.y, low.x);
    k += vec2<u32>(${KEY_STEPS[0]}u, ${KEY_STEPS[1]}u);
  }
  return c;
}`,
];
