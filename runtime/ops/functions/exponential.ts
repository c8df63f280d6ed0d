/**
 * @file WGSL of powers and logarithms that hold float32 precision, where WGSL asks for less of its own. In: nothing. Out:
 * lists of functions, each with what it calls, for an op's `prelude`. Arguments are split so that every product which has
 * to be exact is one of at most 24 bits; the series are Taylor's or that of artanh.
 */

/** Told by bits: a device may take for granted that no value is NaN. */
export const IS_NAN: readonly string[] = [
  `fn jl_is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }`,
];

/** Infinity and NaN at run time: as constants they are refused. */
export const INFINITY: readonly string[] = [
  `fn jl_infinity(negative: bool) -> f32 { return bitcast<f32>(select(0x7f800000u, 0xff800000u, negative)); }`,
];
export const NOT_A_NUMBER: readonly string[] = [
  `fn jl_not_a_number(x: f32) -> f32 { return bitcast<f32>(0x7fc00000u | (bitcast<u32>(x) & 0x80000000u)); }`,
];

/** x · 2ⁿ for |n| ≤ 252, in two steps so that neither power leaves float32. */
export const SCALE: readonly string[] = [
  `fn jl_scale(x: f32, n: i32) -> f32 {
  let half = n / 2;
  return x * bitcast<f32>(u32(half + 127) << 23u) * bitcast<f32>(u32(n - half + 127) << 23u);
}`,
];

/**
 * eˣ: whole powers of two taken out, and of the rest, whose part of two lies within ±½, the device's own: WGSL lets that be
 * off by 3 + 2·½ units in the last place. Conversions and rounding take a GPU eight times as long as a sum: where the result
 * is a normal number, adding 1.5 · 2²³ rounds, and leaves the whole number in the last bits.
 */
export const EXP: readonly string[] = [
  ...IS_NAN,
  ...INFINITY,
  ...SCALE,
  `fn jl_exp(x: f32) -> f32 {
  if (!(abs(x) < 87.0)) { return jl_exp_far(x); }
  let rounded = fma(x, 1.44269504, 12582912.0);
  let n = rounded - 12582912.0;
  let r = fma(n, -1.42860682e-6, fma(n, -0.693145751953125, x));
  return bitcast<f32>(bitcast<u32>(exp2(r * 1.44269504)) + (bitcast<u32>(rounded) << 23u));
}`,
  `fn jl_exp_far(x: f32) -> f32 {
  if (jl_is_nan(x)) { return x; }
  if (x > 88.72284) { return jl_infinity(false); }
  if (x < -104.0) { return 0.0; }
  let n = round(x * 1.44269504);
  let r = (x - n * 0.693145751953125) - n * 1.42860682e-6;
  let tail = 0.5 + r * (1.66666667e-1 + r * (4.16666667e-2 + r * (8.33333333e-3 + r * (1.38888889e-3 + r * 1.98412698e-4))));
  return jl_scale(1.0 + (r + r * r * tail), i32(n));
}`,
];

/** eˣ − 1, which near 0 keeps the digits that eˣ loses: 2ⁿ · (eʳ − 1) + (2ⁿ − 1), where eʳ − 1 is its series. */
export const EXPM1: readonly string[] = [
  ...EXP,
  `fn jl_expm1(x: f32) -> f32 {
  if (!(abs(x) < 87.0)) { return jl_exp(x) - 1.0; }
  let rounded = fma(x, 1.44269504, 12582912.0);
  let n = rounded - 12582912.0;
  let r = fma(n, -1.42860682e-6, fma(n, -0.693145751953125, x));
  let tail = fma(r, fma(r, fma(r, fma(r, fma(r, 1.98412698e-4, 1.38888889e-3), 8.33333333e-3), 4.16666667e-2), 1.66666667e-1), 0.5);
  let power = bitcast<f32>((bitcast<u32>(rounded) << 23u) + 0x3f800000u);
  return fma(power, fma(r * r, tail, r), power - 1.0);
}`,
];

/** ln(1 + f) for 1 + f from √½ to √2: s = f / (2 + f), then 2·artanh(s), with the exact f in front. */
const LOG_NEAR_ONE: readonly string[] = [
  `fn jl_log_near_one(f: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  let tail = z * (6.66666667e-1 + z * (0.4 + z * (2.85714286e-1 + z * 2.22222222e-1)));
  return f - s * (f - tail);
}`,
];

/** What a positive finite number is as m · 2ᵉ with m from √½ to √2: (ln m, e), also below the smallest normal number. */
const LOG_PARTS: readonly string[] = [
  ...LOG_NEAR_ONE,
  `fn jl_split_power(x: f32) -> vec2<f32> {
  let bits = bitcast<u32>(x);
  let shift = select(0u, countLeadingZeros(bits) - 8u, bits < 0x00800000u);
  let moved = (bits << shift) + 0x004afb0du;
  let m = bitcast<f32>((moved & 0x007fffffu) + 0x3f3504f3u);
  return vec2<f32>(m, f32(i32(moved >> 23u) - 127 - i32(shift)));
}`,
];

/** `body` gives the logarithm from m, the exponent e and l = ln m; outside (0, ∞) it is that of IEEE. */
function logarithm(name: string, body: string): readonly string[] {
  return [
    ...LOG_PARTS,
    ...INFINITY,
    ...NOT_A_NUMBER,
    `fn ${name}(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return jl_infinity(true); }
  if (bits > 0x7f800000u) { return jl_not_a_number(0.0); }
  if (bits == 0x7f800000u) { return x; }
  let parts = jl_split_power(x);
  let l = jl_log_near_one(parts.x - 1.0);
  let e = parts.y;
  return ${body};
}`,
  ];
}

export const LOG: readonly string[] = logarithm('jl_log', 'e * 0.693145751953125 + (l + e * 1.42860682e-6)');
export const LOG2: readonly string[] = logarithm('jl_log2', 'e + l * 1.44269504');
export const LOG10: readonly string[] = logarithm('jl_log10', 'e * 0.301025390625 + (l * 0.434294482 + e * 4.60503898e-6)');

/** ln(1 + x), which near 0 keeps the digits that 1 + x loses. */
export const LOG1P: readonly string[] = [
  ...LOG,
  `fn jl_log1p(x: f32) -> f32 {
  if (x > -0.29 && x < 0.41) { return jl_log_near_one(x); }
  return jl_log(1.0 + x);
}`,
];

/**
 * aᵇ for a > 0, as 2 to the b · log2(a). That product wants 8 bits more than a float32 has, so log2(a) is a sum of two
 * numbers, and so is each factor on the way; high parts of 12 bits make the products of high parts exact.
 */
export const POW: readonly string[] = [
  ...LOG_PARTS,
  ...INFINITY,
  ...NOT_A_NUMBER,
  ...IS_NAN,
  ...SCALE,
  `fn jl_high(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }`,
  `fn jl_positive_pow(a: f32, b: f32) -> f32 {
  let parts = jl_split_power(a);
  let d = parts.x - 1.0;
  let s = parts.x + 1.0;
  let s_high = jl_high(s);
  let s_low = parts.x - (s_high - 1.0);
  let f_high = jl_high(d / s);
  let f_low = ((d - f_high * s_high) - f_high * s_low) / s;
  let f = f_high + f_low;
  let z = f * f;
  let tail = f * z * (3.33333333e-1 + z * (0.2 + z * (1.42857143e-1 + z * (1.11111111e-1 + z * 9.09090909e-2))));
  let first = 2.884765625 * f_high;
  // Cut short by its bits: a compiler that sees only sums would take what is left for nothing.
  let log_high = jl_high(parts.y + first);
  let log_low = (first - (log_high - parts.y)) + (6.24456778e-4 * f_high + 2.88539008 * (f_low + tail));
  let size = b * log_high;
  if (size > 130.0) { return jl_infinity(false); }
  if (size < -152.0) { return 0.0; }
  let b_high = jl_high(b);
  let high = b_high * log_high;
  let low = (b - b_high) * log_high + b * log_low;
  let n = round(high + low);
  let r = ((high - n) + low) * 0.693147181;
  let power = 0.5 + r * (1.66666667e-1 + r * (4.16666667e-2 + r * (8.33333333e-3 + r * (1.38888889e-3 + r * 1.98412698e-4))));
  return jl_scale(1.0 + (r + r * r * power), i32(n));
}`,
  `fn jl_powf32(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) { return 1.0; }
  if (jl_is_nan(a) || jl_is_nan(b)) { return jl_not_a_number(a); }
  let odd = b == floor(b) && abs(b) < 16777216.0 && (i32(b) & 1) == 1;
  let negative = odd && (bitcast<u32>(a) >> 31u) == 1u;
  let base = abs(a);
  let infinite = bitcast<u32>(base) == 0x7f800000u;
  var size: f32;
  if (base == 1.0) { size = 1.0; }
  else if (base == 0.0 || infinite) { size = bitcast<f32>(select(0u, 0x7f800000u, (base == 0.0) == (b < 0.0))); }
  else if (bitcast<u32>(abs(b)) == 0x7f800000u) { size = bitcast<f32>(select(0u, 0x7f800000u, (base > 1.0) == (b > 0.0))); }
  else { size = jl_positive_pow(base, b); }
  if (a < 0.0 && !infinite && b != floor(b)) { return jl_not_a_number(0.0); }
  return select(size, -size, negative);
}`,
  // A whole base to a negative power has no digits before the point, unless the base is 1 or −1.
  `fn jl_powi32(a: i32, b: i32) -> i32 {
  if (b < 0) {
    if (a == 0) { return 2147483647; }
    if (a != 1 && a != -1) { return 0; }
    return select(1, a, (b & 1) != 0);
  }
  return bitcast<i32>(jl_powu32(bitcast<u32>(a), u32(b)));
}`,
  `fn jl_powu32(a: u32, b: u32) -> u32 {
  var result = 1u;
  var square = a;
  for (var left = b; left > 0u; left >>= 1u) {
    if ((left & 1u) == 1u) { result *= square; }
    square *= square;
  }
  return result;
}`,
];

/** tanh: its series near 0, else from e²ˣ. */
export const TANH: readonly string[] = [
  ...EXP,
  // Both are computed: threads of a subgroup rarely agree on one, and a branch keeps the positions of a thread apart.
  `fn jl_tanh(x: f32) -> f32 {
  let size = abs(x);
  let z = x * x;
  let near = x + x * z * (-0.33333332 + z * (0.133331137 + z * (-0.0539094288 + z * (0.0213093887 - z * 0.00661022783))));
  let far = 1.0 - 2.0 / (jl_exp(2.0 * size) + 1.0);
  return select(select(far, -far, x < 0.0), near, size < 0.55);
}`,
];

/**
 * ½eˣ where eˣ may leave float32; its root is multiplied by itself, so it must be close. Halved by its bits: a device may
 * multiply in another order.
 */
const HALF_EXP: readonly string[] = [
  ...EXPM1,
  `fn jl_half_exp(x: f32) -> f32 {
  let root = 1.0 + jl_expm1(0.5 * x);
  return bitcast<f32>(bitcast<u32>(root) - 0x00800000u) * root;
}`,
];

export const SINH: readonly string[] = [
  ...HALF_EXP,
  `fn jl_sinh(x: f32) -> f32 {
  let size = abs(x);
  if (size < 1.0) {
    let z = x * x;
    return x + x * z * (1.66666667e-1 + z * (8.33333333e-3 + z * (1.98412698e-4 + z * (2.75573192e-6 + z * 2.50521084e-8))));
  }
  let y = select(0.5 * jl_exp(size) - 0.5 * jl_exp(-size), jl_half_exp(size), size > 88.0);
  return select(y, -y, x < 0.0);
}`,
];

export const COSH: readonly string[] = [
  ...HALF_EXP,
  `fn jl_cosh(x: f32) -> f32 {
  let size = abs(x);
  return select(0.5 * jl_exp(size) + 0.5 * jl_exp(-size), jl_half_exp(size), size > 88.0);
}`,
];

/** Polynomials interpolated at Chebyshev points: of erf(x)/x over x² below 0.9, of −ln(1 − erf x) over x − 2.4 above. */
export const ERF: readonly string[] = [
  ...EXP,
  `fn jl_erf(x: f32) -> f32 {
  let size = abs(x);
  if (size < 0.9) {
    let z = x * x;
    return 1.12837917 * x + x * (z * (-0.37612634 + z * (0.112836994 + z * (-0.0268595881 + z * (0.00520145633 + z * (-0.000814708114 + z * 0.0000838707463))))));
  }
  let u = min(size, 4.0) - 2.4;
  let tail = 0.0117682095 + u * (-0.00238760561 + u * (0.000469451379 + u * (-0.0000869594484 + u * (0.0000146043159 - u * 0.00000165890208))));
  let y = select(1.0 - jl_exp(-(7.28097506 + u * (5.16423658 + u * (0.940501983 + u * tail)))), 1.0, size > 3.95);
  return select(select(y, -y, x < 0.0), x, jl_is_nan(x));
}`,
];

/** 1 / (1 + e⁻ˣ). */
export const SIGMOID: readonly string[] = [...EXP, `fn jl_sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + jl_exp(-x)); }`];
