/**
 * @file WGSL of larger, smaller and between, for each type. In: nothing. Out: lists of functions for an op's `prelude`,
 * whose names end in the type. Unlike WGSL's own they give NaN where an operand is NaN. Both sides of a condition are computed:
 * for one in a chain of them the software device's compiler takes twice as long where there is a branch.
 */
import { IS_NAN } from './exponential.ts';

function forIntegers(name: string, params: readonly string[], body: string): readonly string[] {
  return ['i32', 'u32'].map((type) => {
    const list = params.map((p) => `${p}: ${type}`).join(', ');
    return `fn jl_${name}${type}(${list}) -> ${type} { return ${body}; }`;
  });
}

/** Whether a comes before b in rising order, NaN behind all else. */
export const LESS: readonly string[] = [
  ...IS_NAN,
  'fn jl_lessf32(a: f32, b: f32) -> bool { return (!jl_is_nan(a)) & (jl_is_nan(b) | (a < b)); }',
  'fn jl_lessi32(a: i32, b: i32) -> bool { return a < b; }',
  'fn jl_lessu32(a: u32, b: u32) -> bool { return a < b; }',
];

export const LARGER: readonly string[] = [
  ...IS_NAN,
  'fn jl_largerf32(a: f32, b: f32) -> f32 { return select(b, a, (a > b) | jl_is_nan(a)); }',
  ...forIntegers('larger', ['a', 'b'], 'max(a, b)'),
];

export const SMALLER: readonly string[] = [
  ...IS_NAN,
  'fn jl_smallerf32(a: f32, b: f32) -> f32 { return select(b, a, (a < b) | jl_is_nan(a)); }',
  ...forIntegers('smaller', ['a', 'b'], 'min(a, b)'),
];

export const CLAMP: readonly string[] = [
  ...LARGER,
  ...SMALLER,
  'fn jl_clampf32(x: f32, least: f32, most: f32) -> f32 { return jl_smallerf32(jl_largerf32(x, least), most); }',
  ...forIntegers('clamp', ['x', 'least', 'most'], 'min(max(x, least), most)'),
];
