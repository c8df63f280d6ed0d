/**
 * @file Numbers in the text of a kernel. In: a value or text, and its type. Out: text that gives it on every device: WGSL refuses
 * constants that are not finite, its compilers turn −0 into 0 and forget what is multiplied by a constant 0, and NaN is not false.
 */
import { dtypes, type DType } from '../tensor/dtype.ts';
import type { Writer } from './writer.ts';

/** A 0 that no compiler knows to be one. */
export const ZERO = 'var<private> zero: f32;';

/** A variable is not constant. */
const SPECIAL = [
  { value: NaN, name: 'not_a_number', bits: '0x7fc00000u' },
  { value: Infinity, name: 'infinity', bits: '0x7f800000u' },
  { value: -Infinity, name: 'minus_infinity', bits: '0xff800000u' },
] as const;

export function literalText({ p, preludes }: Pick<Writer, 'p' | 'preludes'>, value: number, type: DType): string {
  if (type === 'bool') return value === 0 ? 'false' : 'true';
  if (type === 'int32') return p.int(value, true);
  if (type === 'uint32') return p.uint(value);
  // Drivers know what is never written to, and take it for 0.
  if (Object.is(value, -0)) {
    preludes.add(ZERO);
    return 'bitcast<f32>(0x80000000u | bitcast<u32>(zero))';
  }
  const special = SPECIAL.find((s) => Object.is(s.value, value));
  if (!special) return p.float(value);
  preludes.add(`var<private> ${special.name}: u32 = ${special.bits};`);
  return `bitcast<f32>(${special.name})`;
}

export function convertedText({ enables }: Pick<Writer, 'enables'>, text: string, from: DType, to: DType): string {
  if (from === to) return text;
  // NaN is true, and WGSL's != is false of it.
  if (to === 'bool') return `!(${text} == ${dtypes[from].wgsl}(0))`;
  if (to === 'float16') {
    enables.add('f16');
    return `f32(f16(${text}))`;
  }
  return from === 'float16' && to === 'float32' ? text : `${dtypes[to].wgsl}(${text})`;
}
