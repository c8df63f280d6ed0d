/**
 * @file WGSL of exact remainders and of quotients made from them, for each type. In: nothing. Out: lists of functions for an
 * op's `prelude`, whose names end in the type. WGSL's own float remainder is only as good as the rounded quotient.
 */
import { INFINITY, NOT_A_NUMBER, SCALE } from './exponential.ts';

/** a / b. Devices may give 0 for divisors beyond 2¹²⁶, whose reciprocals have no normal number: both are made smaller first. */
export const DIVIDE: readonly string[] = [
  `fn jl_divide(a: f32, b: f32) -> f32 {
  let scale = select(1.0, 0.0625, abs(b) > 4e37);
  return (a * scale) / (b * scale);
}`,
];

/** a less b as often as it goes in, with the sign of a: long division, 8 bits a step. */
const FMOD: readonly string[] = [
  ...SCALE,
  ...NOT_A_NUMBER,
  `fn jl_fmod(a: f32, b: f32) -> f32 {
  let x = bitcast<u32>(a) & 0x7fffffffu;
  let y = bitcast<u32>(b) & 0x7fffffffu;
  if (x >= 0x7f800000u || y > 0x7f800000u || y == 0u) { return jl_not_a_number(a); }
  if (x < y) { return a; }
  let by = max(i32(y >> 23u), 1);
  var left = max(i32(x >> 23u), 1) - by;
  let divisor = (y & 0x7fffffu) | select(0u, 0x800000u, y >= 0x800000u);
  var rest = ((x & 0x7fffffu) | select(0u, 0x800000u, x >= 0x800000u)) % divisor;
  while (left > 0) {
    let step = min(left, 8);
    rest = (rest << u32(step)) % divisor;
    left -= step;
  }
  let size = jl_scale(f32(rest), by - 150);
  return select(size, -size, a < 0.0);
}`,
];

/** The remainder with the sign of the divisor. */
export const REMAINDER: readonly string[] = [
  ...FMOD,
  `fn jl_remainderf32(a: f32, b: f32) -> f32 {
  let rest = jl_fmod(a, b);
  return select(rest, rest + b, (rest != 0.0) & ((rest < 0.0) != (b < 0.0)));
}`,
  `fn jl_remainderi32(a: i32, b: i32) -> i32 {
  if (b == 0 || b == -1) { return 0; }
  let rest = a % b;
  return select(rest, rest + b, (rest != 0) & ((rest < 0) != (b < 0)));
}`,
  `fn jl_remainderu32(a: u32, b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  return a % b;
}`,
];

export const FLOOR_DIVIDE: readonly string[] = [
  ...REMAINDER,
  ...DIVIDE,
  ...INFINITY,
  `fn jl_floor_dividef32(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return a / b; }
  return round(jl_divide(a - jl_remainderf32(a, b), b));
}`,
  `fn jl_floor_dividei32(a: i32, b: i32) -> i32 {
  if (b == 0) { return select(select(2147483647, i32(-2147483648), a < 0), 0, a == 0); }
  return (a - jl_remainderi32(a, b)) / b;
}`,
  `fn jl_floor_divideu32(a: u32, b: u32) -> u32 {
  if (b == 0u) { return select(4294967295u, 0u, a == 0u); }
  return a / b;
}`,
];
