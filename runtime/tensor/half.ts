/** @file Half precision on the host: IEEE 754 binary16, of which JavaScript knows nothing yet. In and out: numbers, or bits. */
const LARGEST = 65504;
const LEAST_EXPONENT = -14;

/** To the nearest half-precision number, ties to the even one; what is too large becomes infinite. */
export function toHalf(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const step = 2 ** (Math.max(LEAST_EXPONENT, Math.floor(Math.log2(Math.abs(x)))) - 10);
  const steps = x / step;
  const low = Math.floor(steps);
  const rest = steps - low;
  const rounded = (rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1) * step;
  return Math.abs(rounded) > LARGEST ? Math.sign(x) * Infinity : rounded === 0 ? Math.sign(x) * 0 : rounded;
}

/** The 16 bits of the nearest half-precision number. */
export function halfBits(x: number): number {
  const h = toHalf(x);
  const sign = h < 0 || Object.is(h, -0) ? 0x8000 : 0;
  const size = Math.abs(h);
  if (Number.isNaN(h)) return 0x7e00;
  if (size === Infinity) return sign | 0x7c00;
  if (size < 2 ** LEAST_EXPONENT) return sign | (size * 2 ** 24);
  const exponent = Math.floor(Math.log2(size));
  return sign | ((exponent + 15) << 10) | ((size / 2 ** exponent - 1) * 1024);
}

/** The number that 16 bits stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const rest = bits & 1023;
  if (exponent === 31) return rest === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? rest * 2 ** -24 : (1 + rest / 1024) * 2 ** (exponent - 15));
}
