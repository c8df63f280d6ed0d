/**
 * @file Functions in float64 that JavaScript lacks, for the reference device. In: numbers. Out: numbers; they share
 * nothing with the WGSL.
 */

/** The error function, by its series of positive terms (Abramowitz and Stegun 7.1.6). */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  let term = size;
  let sum = size;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * size * size) / (2 * n + 1);
    sum += term;
  }
  return ((Math.sign(x) * 2) / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum;
}

/** To the nearest whole number, halves to the even one. */
export function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/** The remainder with the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The quotient's floor, from the exact remainder; the plain quotient by zero. */
export function floorDivide(a: number, b: number): number {
  return b === 0 ? a / b : Math.round((a - remainder(a, b)) / b);
}

/** The power, but for multiples of 2³², which wrap around; the plain one below 0. */
export function wholePower(a: number, b: number): number {
  if (b < 0) return a ** b;
  let [result, square] = [1, a];
  for (let left = b; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = Math.imul(result, square);
    square = Math.imul(square, square);
  }
  return result;
}

/** Whether a comes before b in rising order, NaN behind all else. */
export function less(a: number, b: number): boolean {
  return !Number.isNaN(a) && (Number.isNaN(b) || a < b);
}
