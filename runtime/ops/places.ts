/** @file Places as numbers in a tensor: what the ops that pick and put by place ask of them. In: operands. Out: an error, if any. */
import { JitLensError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export const EXACT = { relative: 0, absolute: 0 };
/** Sample places: the samples' dims have 3 elements or more. */
export const PLACES: readonly [number, number] = [0, 2];

export function needPlaces(places: Tensor, name: string): void {
  if (places.dtype === 'int32' || places.dtype === 'uint32') return;
  throw new JitLensError('JLT-DTYPE', `${name}: places are whole numbers, not ${places.dtype}`, "Convert them: to('int32').");
}

export function wrongShape(name: string, x: Tensor, places: Tensor, hint: string): JitLensError {
  return new JitLensError('JL410', `${name}: places of shape ${formatShape(places.shape)} in ${formatShape(x.shape)}`, hint);
}
