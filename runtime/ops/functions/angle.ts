/**
 * @file WGSL of angles that holds float32 precision over the whole range, where WGSL asks for it only near 0 or not at
 * all. In: nothing. Out: lists of functions, each with what it calls, for an op's `prelude`.
 */
import { IS_NAN, NOT_A_NUMBER, SCALE } from './exponential.ts';
import { DIVIDE } from './divide.ts';
import { MULTIPLY_HIGH } from './philox.ts';

/**
 * An angle less the nearest number of quarter turns: (rest, quarters mod 4). Up to 400 they are taken away in three parts,
 * the first two short enough for exact products (Cody and Waite). Beyond, the 64 bits of x · 2/π that tell the place within
 * a turn are computed in whole numbers from the digits of 2/π that matter (Payne and Hanek).
 */
const REDUCE: readonly string[] = [
  ...SCALE,
  ...MULTIPLY_HIGH,
  `fn jl_far_angle(x: f32) -> vec2<f32> {
  var digits = array<u32, 7>(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u);
  let bits = bitcast<u32>(x);
  let start = ((bits >> 23u) & 0xffu) - 128u;
  let word = min(start >> 5u, 3u);
  let shift = start & 31u;
  let left = 31u - shift;
  let d0 = (digits[word] << shift) | ((digits[word + 1u] >> 1u) >> left);
  let d1 = (digits[word + 1u] << shift) | ((digits[word + 2u] >> 1u) >> left);
  let d2 = (digits[word + 2u] << shift) | ((digits[word + 3u] >> 1u) >> left);
  let m = (bits << 8u) | 0x80000000u;
  let low = m * d1 + jl_product_high(m, d2);
  var high = m * d0 + jl_product_high(m, d1) + u32(low < m * d1);
  var quarters = high >> 30u;
  high = (high << 2u) | (low >> 30u);
  var rest = low << 2u;
  let over = high >= 0x80000000u;
  if (over) {
    quarters += 1u;
    high = ~high + u32(rest == 0u);
    rest = ~rest + 1u;
  }
  let zeros = countLeadingZeros(high);
  if (zeros > 0u) {
    high = select((high << zeros) | (rest >> (32u - zeros)), rest, zeros > 31u);
  }
  let r = jl_scale(f32(high) * 1.57079633, -32 - i32(zeros));
  let turned = (over != (x < 0.0));
  let whole = i32(quarters & 3u);
  return vec2<f32>(select(r, -r, turned), f32(select(whole, -whole, x < 0.0) & 3));
}`,
  `fn jl_angle(x: f32) -> vec2<f32> {
  if (!(abs(x) < 400.0)) { return jl_far_angle(x); }
  let turns = round(x * 0.636619772);
  let rest = ((x - turns * 1.570770263671875) - turns * 2.6063062250614166e-5) - turns * 6.07710063e-11;
  return vec2<f32>(rest, f32(i32(turns) & 3));
}`,
];

/** Minimax-like polynomials of the Cephes library (S. Moshier) on ±π/4. */
export const SINE: readonly string[] = [
  ...REDUCE,
  ...NOT_A_NUMBER,
  `fn jl_sine_near(r: f32) -> f32 {
  let z = r * r;
  return r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
}`,
  `fn jl_cosine_near(r: f32) -> f32 {
  let z = r * r;
  return 1.0 - (0.5 * z - z * z * (4.1666645683e-2 + z * (-1.3887316255e-3 + z * 2.4433157118e-5)));
}`,
  `fn jl_sine(x: f32, quarters: i32) -> f32 {
  if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return jl_not_a_number(x); }
  let angle = jl_angle(x);
  let quadrant = (i32(angle.y) + quarters) & 3;
  let size = select(jl_sine_near(angle.x), jl_cosine_near(angle.x), (quadrant & 1) == 1);
  return select(size, -size, quadrant > 1);
}`,
];

export const TANGENT: readonly string[] = [
  ...SINE,
  `fn jl_tan(x: f32) -> f32 {
  if ((bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u) { return jl_not_a_number(x); }
  let angle = jl_angle(x);
  let sine = jl_sine_near(angle.x);
  let cosine = jl_cosine_near(angle.x);
  return select(sine / cosine, -cosine / sine, (i32(angle.y) & 1) == 1);
}`,
];

/** artangent: one eighth of a turn taken away where that leaves less, then a polynomial through Chebyshev points. */
export const ATAN: readonly string[] = [
  ...DIVIDE,
  `fn jl_atan_near(t: f32) -> f32 {
  let z = t * t;
  return t + t * z * (-0.333333333 + z * (0.199999772 + z * (-0.142841503 + z * (0.110713485 + z * (-0.0862455306 + z * 0.0504782091)))));
}`,
  // The angle of (x, y) with 0 ≤ y ≤ x; x > 0.
  `fn jl_atan_eighth(y: f32, x: f32) -> f32 {
  let t = jl_divide(y, x);
  return select(jl_atan_near(t), 0.785398163 + jl_atan_near((t - 1.0) / (t + 1.0)), t > 0.414213562);
}`,
  `fn jl_atan(x: f32) -> f32 {
  let size = abs(x);
  let y = select(jl_atan_eighth(size, 1.0), 1.57079633 - jl_atan_eighth(1.0, size), size > 1.0);
  return select(y, -y, x < 0.0);
}`,
];

export const ATAN2: readonly string[] = [
  ...ATAN,
  ...IS_NAN,
  ...NOT_A_NUMBER,
  `fn jl_atan2(y: f32, x: f32) -> f32 {
  if (jl_is_nan(x) || jl_is_nan(y)) { return jl_not_a_number(x); }
  let rise = abs(y);
  let run = abs(x);
  var angle = 0.0;
  if (rise == run && rise > 0.0) { angle = 0.785398163; }
  else if (rise > run) { angle = 1.57079633 - jl_atan_eighth(run, rise); }
  else if (run > 0.0) { angle = jl_atan_eighth(rise, run); }
  if ((bitcast<u32>(x) >> 31u) == 1u) { angle = 3.14159265 - angle; }
  return select(angle, -angle, (bitcast<u32>(y) >> 31u) == 1u);
}`,
];

/** arcsine up to ½ by a polynomial through Chebyshev points; beyond, from that of √((1 − x)/2). */
export const ASIN: readonly string[] = [
  ...NOT_A_NUMBER,
  `fn jl_asin_near(t: f32) -> f32 {
  let z = t * t;
  return t + t * z * (0.166666663 + z * (0.0750009454 + z * (0.0445994015 + z * (0.031100663 + z * (0.0171492373 + z * 0.0336908487)))));
}`,
  `fn jl_asin(x: f32) -> f32 {
  let size = abs(x);
  if (!(size <= 1.0)) { return jl_not_a_number(x); }
  if (size <= 0.5) { return jl_asin_near(x); }
  let y = 1.57079633 - 2.0 * jl_asin_near(sqrt(0.5 - 0.5 * size));
  return select(y, -y, x < 0.0);
}`,
  `fn jl_acos(x: f32) -> f32 {
  let size = abs(x);
  if (!(size <= 1.0)) { return jl_not_a_number(x); }
  if (size <= 0.5) { return 1.57079633 - jl_asin_near(x); }
  let y = 2.0 * jl_asin_near(sqrt(0.5 - 0.5 * size));
  return select(y, 3.14159265 - y, x < 0.0);
}`,
];
