/**
 * The ends of domains: every elementwise op gives what IEEE arithmetic gives there, infinities and NaN too. They go in
 * as well, though WGSL lets a device assume that none do.
 */
import { describe, expect, test } from 'vitest';
import { jit, tensor, type Tensor } from 'jitlens';
import { read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { ops, type AnyOp } from '../support/entries.ts';

/** Values that float32 holds exactly, so that all devices are given the same. */
const SPECIAL = [NaN, -Infinity, -1e30, -200, -1.5, -1, -0.5, -0, 0, 0.5, 1, 1.5, 200, 1e30, Infinity].map(Math.fround);

const elementwise = (params: number) =>
  ops.filter(([, { entry }]) => {
    const { spec } = entry as { spec?: { kind: string; params?: readonly string[]; inPlace?: unknown } };
    return spec?.kind === 'elementwise' && spec.params?.length === params && !spec.inPlace;
  });

/** As float32 has it: what is too large for it is infinite, what is too small is zero. */
const close = (got: number, want: number, { relative, absolute }: { relative: number; absolute: number }) => {
  const float = Math.fround(want);
  return (
    got === float || (Number.isNaN(got) && Number.isNaN(float)) || Math.abs(got - float) <= absolute + relative * Math.abs(float)
  );
};

async function check(op: AnyOp, make: () => Tensor[], describeAt: (i: number) => string): Promise<void> {
  const run = (...args: unknown[]) => op(...args);
  const [want] = await onReference(() => read(run(...make())));
  const results = { eager: await read(run(...make())), traced: await read(jit.trace(run, make())(...make())) };
  for (const [how, [got]] of Object.entries(results)) {
    const off = want?.values.flatMap((w, i) => {
      const g = got?.values[i] ?? 12345;
      return close(g, w, op.entry.tolerance) ? [] : [`${op.entry.name}(${describeAt(i)}) is ${g} instead of ${w}`];
    });
    expect(off, how).toEqual([]);
  }
}

describe.each(elementwise(1))('%s', (_name, op) => {
  test('of special values', () =>
    check(
      op,
      () => [tensor(SPECIAL)],
      (i) => String(SPECIAL[i]),
    ));
});

describe.each(elementwise(2))('%s', (_name, op) => {
  const rows = SPECIAL.map((a) => SPECIAL.map(() => a));
  const columns = SPECIAL.map(() => SPECIAL);
  test('of special values', () =>
    check(
      op,
      () => [tensor(rows), tensor(columns)],
      (i) => `${rows.flat()[i]}, ${columns.flat()[i]}`,
    ));
});

test('NaN equals nothing, and is true', async () => {
  const make = () => tensor([0, 1]).div(0);
  const run = (x: Tensor) => [x.ne(x), x.eq(x), x.ne(2), x.to('bool'), x.logicalNot()];
  const want = [[true, false], [false, true], [true, true], [true, true], [false, false]]; // prettier-ignore
  for (const got of [
    await read(run(make())),
    await read(jit.trace(run, [make()])(make())),
    await onReference(() => read(run(make()))),
  ]) {
    expect(got.map(({ values }) => values.map((v) => v !== 0))).toEqual(want);
  }
});
