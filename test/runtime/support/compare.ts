/**
 * @file Results and what to ask of them. In: whatever an op gave. Out: shapes, dtypes and numbers of its tensors, and a
 * comparison that names the first element which is off. NaN equals NaN, infinities only themselves.
 */
import { expect } from 'vitest';
import { flattenTree } from '../../../runtime/jit/tree.ts';
import type { Tolerance } from '../../../runtime/ops/spec.ts';
import { Tensor } from 'jitlens';

export interface Result {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly number[];
}

export const EXACT: Tolerance = { relative: 0, absolute: 0 };

export async function read(value: unknown): Promise<Result[]> {
  const tensors = value instanceof Tensor ? [value] : flattenTree(value, 'result').tensors;
  return Promise.all(tensors.map(async (x) => ({ shape: x.shape, dtype: x.dtype, values: [...(await x.data())] })));
}

/** The first element that is off, in words; undefined when all are within the tolerance. */
export function firstOff(actual: readonly number[], expected: readonly number[], { relative, absolute }: Tolerance) {
  if (actual.length !== expected.length) return `${actual.length} elements instead of ${expected.length}`;
  const at = expected.findIndex((want, i) => {
    const got = actual[i] ?? NaN;
    if (got === want || (Number.isNaN(got) && Number.isNaN(want))) return false;
    return !(Math.abs(got - want) <= absolute + relative * Math.abs(want)) || !Number.isFinite(got);
  });
  return at < 0 ? undefined : `element ${at} is ${actual[at]} instead of ${expected[at]}`;
}

export function expectSame(actual: readonly Result[], expected: readonly Result[], tolerance: Tolerance, what: string): void {
  const forms = (results: readonly Result[]) => results.map(({ shape, dtype }) => `${dtype}[${shape.join()}]`);
  expect(forms(actual), what).toEqual(forms(expected));
  const off = expected.map((want, i) => firstOff(actual[i]?.values ?? [], want.values, tolerance));
  expect(off, what).toEqual(expected.map(() => undefined));
}
