/** @file Tensors inside values of any form. In: a tensor, or arrays and records with tensors somewhere inside. Out: those, in order. */
import { Tensor } from '../tensor/tensor.ts';

export function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  if (Array.isArray(value)) return value.flatMap(tensorsIn);
  const isRecord = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isRecord ? Object.values(value).flatMap(tensorsIn) : [];
}
