/**
 * @file Gradients by central differences, in float64 on the reference device. In: an op, its arguments' forms and values.
 * Out: what each element of each float operand does to the sum of output · cotangent. Shares nothing with an op's `grad`.
 */
import { numel } from '../../../runtime/tensor/shape.ts';
import { flattenTree } from '../../../runtime/jit/tree.ts';
import { tensor, type Tensor } from 'jitlens';
import type { AnyOp } from './entries.ts';
import { positions } from './arrange.ts';
import type { TensorForm } from './samples.ts';

const STEP = 1e-5;

export interface Call {
  readonly op: AnyOp;
  readonly forms: readonly TensorForm[];
  readonly values: readonly (readonly number[])[];
  readonly arguments: (tensors: readonly Tensor[]) => unknown[];
}

export function tensorsFor({ forms }: Call, values: readonly (readonly number[])[]): Tensor[] {
  return forms.map(({ shape, dtype }, i) => tensor([...(values[i] ?? [])], { dtype }).view(shape));
}

/** The float tensors of a result; a result may be one tensor, a list, or a record. */
export function floatsOf(result: unknown): Tensor[] {
  return flattenTree(result, 'result').tensors.filter((x) => x.dtype === 'float32');
}

export async function outputOf(call: Call, values = call.values): Promise<number[]> {
  const outs = floatsOf(call.op(...call.arguments(tensorsFor(call, values))));
  return (await Promise.all(outs.map(async (x) => [...(await x.data())]))).flat();
}

/** d(Σ out · cotangent) / d(element `at` of operand `which`). */
export async function slope(call: Call, cotangent: readonly number[], which: number, at: number): Promise<number> {
  const loss = async (shift: number) => {
    const moved = call.values.map((list, i) => (i === which ? list.map((v, j) => (j === at ? v + shift : v)) : list));
    const out = await outputOf(call, moved);
    return out.reduce((sum, v, i) => sum + v * (cotangent[i] ?? NaN), 0);
  };
  return ((await loss(STEP)) - (await loss(-STEP))) / (2 * STEP);
}

/** The gradient's elements summed over the dims in which the operand was repeated. */
export function unbroadcast(values: readonly number[], from: readonly number[], to: readonly number[]): number[] {
  const sums = new Array<number>(numel(to)).fill(0);
  const skip = from.length - to.length;
  positions(from).forEach((at, i) => {
    const place = to.reduce((p, size, d) => p * size + (size === 1 ? 0 : (at[d + skip] ?? 0)), 0);
    sums[place] = (sums[place] ?? 0) + (values[i] ?? NaN);
  });
  return sums;
}
