/**
 * @file The op table's samples, parsed. In: text such as `f32[3,5] f32[5]`, `(f32[2,3],f32[4,3]) 1`, `f32[5,7] {"dim":1}`.
 * Out: the arguments as forms: tensors by shape and dtype, lists of such, and plain values. Nothing is made here.
 */
import type { DType } from '../../../runtime/tensor/dtype.ts';

export interface TensorForm {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type ArgumentForm = TensorForm | readonly TensorForm[] | { readonly literal: unknown };

const SHORT: Readonly<Record<string, DType>> = { f32: 'float32', i32: 'int32', u32: 'uint32', bool: 'bool' };
const TENSOR = /^(f32|i32|u32|bool)\[([\d,]*)\]$/;

export function parseSample(sample: string): ArgumentForm[] {
  return sample.split(' ').map((token) => {
    if (token.startsWith('(')) return [...token.matchAll(/\w+\[[\d,]*\]/g)].map(([text]) => tensorForm(text));
    return TENSOR.test(token) ? tensorForm(token) : { literal: JSON.parse(token) as unknown };
  });
}

function tensorForm(text: string): TensorForm {
  const [, short = '', sizes = ''] = TENSOR.exec(text) ?? [];
  const dtype = SHORT[short];
  if (!dtype) throw new Error(`‘${text}’ is not a tensor`);
  return { dtype, shape: sizes === '' ? [] : sizes.split(',').map(Number) };
}

/** The tensors of the arguments, in order. */
export function tensorsOf(forms: readonly ArgumentForm[]): TensorForm[] {
  return forms.flatMap((form) => ('literal' in form ? [] : 'dtype' in form ? [form] : form));
}

/** The arguments with `tensors` in their places. */
export function argumentsOf(forms: readonly ArgumentForm[], tensors: readonly unknown[]): unknown[] {
  const rest = tensors.values();
  const next = () => rest.next().value;
  return forms.map((form) => ('literal' in form ? form.literal : 'dtype' in form ? next() : form.map(next)));
}

/** The same sample with every dim of one size (the first above 1) emptied; undefined when there is none. */
export function emptied(forms: readonly ArgumentForm[]): ArgumentForm[] | undefined {
  const size = tensorsOf(forms)
    .flatMap((form) => form.shape)
    .find((n) => n > 1);
  if (size === undefined) return undefined;
  const empty = (form: TensorForm): TensorForm => ({ ...form, shape: form.shape.map((n) => (n === size ? 0 : n)) });
  return forms.map((form) => ('literal' in form ? form : 'dtype' in form ? empty(form) : form.map(empty)));
}
