/** Every elementwise op and reduction on every dtype: eager, traced and reference agree, or all refuse alike. */
import { describe, expect, test } from 'vitest';
import { JitLensError, jit, ones, tensor, type Tensor } from 'jitlens';
import { dtypes, type DType } from '../../../runtime/tensor/dtype.ts';
import { expectSame, read, type Result } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { ops, type AnyOp } from '../support/entries.ts';

/** Types that the device knows; the reference knows all. */
const ALL = (Object.keys(dtypes) as DType[]).filter((dtype) => {
  const { storage, feature } = dtypes[dtype];
  return storage && (feature === undefined || ones([1]).storage.backend.info.features.includes(feature));
});
const DATA: Readonly<Record<DType, readonly number[]>> = {
  float64: [0.5, 1.25, 2, 3, 1, 0.25],
  float16: [0.5, 1.25, 2, 3, 1, 0.25],
  float32: [0.5, 1.25, 2, 3, 1, 0.25],
  int32: [1, 2, 3, -1, 1, 2],
  uint32: [1, 2, 3, 4, 1, 2],
  bool: [1, 1, 0, 0, 1, 0],
};
const of = (dtype: DType, turned = 0) => tensor([...DATA[dtype].slice(turned), ...DATA[dtype].slice(0, turned)], { dtype });

type Outcome = readonly Result[] | { readonly refused: string };

async function outcome(run: () => unknown): Promise<Outcome> {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (error instanceof JitLensError) return { refused: error.code };
    throw error;
  }
  return read(result);
}

async function check(op: AnyOp, make: () => unknown[]): Promise<void> {
  const run = (...args: unknown[]) => op(...args);
  const reference = await onReference(() => outcome(() => run(...make())));
  const eager = await outcome(() => run(...make()));
  const traced = await outcome(() => jit.trace(run, make())(...make()));
  if ('refused' in reference) {
    expect([eager, traced]).toEqual([reference, reference]);
    expect(reference.refused).toBe('JLT-DTYPE');
    return;
  }
  for (const [how, got] of Object.entries({ eager, traced })) {
    if ('refused' in got) throw new Error(`${how}: refused with ${got.refused}`);
    expectSame(got, reference, op.entry.tolerance, how);
  }
}

const named = (kind: string, params: number) =>
  ops.filter(([, { entry }]) => {
    const spec = (entry as { spec?: { kind: string; params?: readonly string[]; inPlace?: unknown } }).spec;
    return spec?.kind === kind && (spec.params?.length ?? 0) === params && !spec.inPlace;
  });

describe.each(named('elementwise', 1))('%s', (_name, op) => {
  test.each(ALL)('of %s', (dtype) => check(op, () => [of(dtype)]));
});

describe.each(named('elementwise', 2))('%s', (_name, op) => {
  const pairs = ALL.flatMap((a) => ALL.map((b) => [a, b] as const));
  test.each(pairs)('of %s and %s', (a, b) => check(op, () => [of(a), of(b, 2)]));
  test.each(ALL)('of %s and 2', (dtype) => check(op, () => [of(dtype), 2]));
  test.each(ALL)('of %s and 1.5', (dtype) => check(op, () => [of(dtype), 1.5]));
});

describe.each(named('elementwise', 3))('%s', (_name, op) => {
  const triples = ALL.flatMap((a) => ALL.map((b) => [a, b] as const));
  test.each(triples)('of %s and %s', (a, b) => check(op, () => [of('bool'), of(a), of(b, 2)]));
  test.each(ALL)('with a condition that is %s', (dtype) => check(op, () => [of(dtype), of('float32'), of('int32', 1)]));
});

describe.each(named('reduce', 0))('%s', (_name, op) => {
  test.each(ALL)('of %s', (dtype) => check(op, () => [of(dtype)]));
});

describe('to', () => {
  const pairs = ALL.flatMap((a) => ALL.map((b) => [a, b] as const));
  test.each(pairs)('%s to %s', async (a, b) => {
    const make = (): [Tensor] => [of(a)];
    const convert = (x: Tensor) => x.to(b);
    const reference = await onReference(() => read(convert(...make())));
    expectSame(await read(convert(...make())), reference, { relative: 0, absolute: 0 }, 'eager');
    expectSame(await read(jit.trace(convert, make())(...make())), reference, { relative: 0, absolute: 0 }, 'traced');
  });
});
