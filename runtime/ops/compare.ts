/** @file Comparisons and what is said of truth values. In: two operands that broadcast; the second may be a number. Out: bool. */
import { binary, type Binary } from './define.ts';

function comparison(name: string, wgsl: string, reference: (a: number, b: number) => boolean, onnx?: string): Binary {
  return binary({ name, wgsl, result: 'bool', reference: (a, b) => Number(reference(a, b)), onnx });
}

/** True where a = b. */
export const eq: Binary = comparison('eq', 'a == b', (a, b) => a === b, 'Equal');
// WGSL's != is false where one is NaN.
/** True where a ≠ b, so also where one is NaN. */
export const ne: Binary = comparison('ne', '!(a == b)', (a, b) => a !== b);
/** True where a < b. */
export const lt: Binary = comparison('lt', 'a < b', (a, b) => a < b, 'Less');
/** True where a ≤ b. */
export const le: Binary = comparison('le', 'a <= b', (a, b) => a <= b, 'LessOrEqual');
/** True where a > b. */
export const gt: Binary = comparison('gt', 'a > b', (a, b) => a > b, 'Greater');
/** True where a ≥ b. */
export const ge: Binary = comparison('ge', 'a >= b', (a, b) => a >= b, 'GreaterOrEqual');

function logical(name: string, sign: string, reference: (a: boolean, b: boolean) => boolean, onnx: string): Binary {
  const truth = (a: number, b: number) => Number(reference(a !== 0, b !== 0));
  return binary({ name, wgsl: `a ${sign} b`, compute: 'bool', result: 'bool', reference: truth, onnx });
}

/** True where neither is 0. */
export const logicalAnd: Binary = logical('logicalAnd', '&&', (a, b) => a && b, 'And');
/** True where not both are 0. */
export const logicalOr: Binary = logical('logicalOr', '||', (a, b) => a || b, 'Or');
/** True where just one is 0. */
export const logicalXor: Binary = logical('logicalXor', '!=', (a, b) => a !== b, 'Xor');
