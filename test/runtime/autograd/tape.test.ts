/**
 * Every op through the tape: what `grad` of a call gives is what the op's gradient gives for all of its arguments. The tape
 * hands an op only what its gradient names, so a gradient that reads more than that fails here.
 */
import { describe, expect, test } from 'vitest';
import { grad, tensor } from 'jitlens';
import { isFloat } from '../../../runtime/tensor/dtype.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { EXACT, firstOff } from '../support/compare.ts';
import { whollyOnReference } from '../support/devices.ts';
import { calls, type AnyOp } from '../support/entries.ts';
import { unbroadcast } from '../support/gradients.ts';
import { Random } from '../support/random.ts';
import { argumentsOf, parseSample, tensorsOf } from '../support/samples.ts';

const LARGEST = 200;

async function check(op: AnyOp, sample: string): Promise<void> {
  const random = new Random(5);
  const forms = parseSample(sample);
  const make = tensorsOf(forms).map(({ shape, dtype }) => {
    const values = random.values(numel(shape), dtype, op.entry.domain);
    return () => tensor(values, { dtype }).view(shape).detach();
  });
  const plain = make.map((f) => f());
  const args = argumentsOf(forms, plain);
  const out = op(...args);
  const leaves = make.map((f) => f()).map((x) => (isFloat(x.dtype) ? x.requiresGrad_() : x));
  const recorded = op(...argumentsOf(forms, leaves));
  if (Array.isArray(out) || Array.isArray(recorded)) throw new Error('one tensor');
  const cotangent = tensor(random.values(out.numel, 'float32', [-1, 1])).view(out.shape);
  const wanted = op.entry.grad?.(cotangent, out, ...args) ?? [];
  const given = grad([recorded], leaves, { gradOutputs: [cotangent] });
  const operands = args.flat();
  for (const [i, x] of plain.entries()) {
    const gradient = wanted[operands.indexOf(x)];
    if (!gradient || !isFloat(x.dtype)) continue;
    const expected = unbroadcast([...(await gradient.data())], gradient.shape, x.shape);
    expect(
      firstOff([...((await given[i]?.data()) ?? [])], expected, { ...EXACT, absolute: 1e-12 }),
      `operand ${i}`,
    ).toBeUndefined();
  }
}

const small = (sample: string) => tensorsOf(parseSample(sample)).every(({ shape }) => numel(shape) <= LARGEST);
const recorded = calls.filter(({ op, sample }) => op.entry.grad && /f32\[/.test(sample) && small(sample));

describe('through the tape', () => {
  test.each(recorded)('$name $sample', ({ op, sample }) => whollyOnReference(() => check(op, sample)));
});
