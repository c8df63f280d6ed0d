/** The gradient of every op that has one, against central differences in float64. */
import { describe, expect, test } from 'vitest';
import { grad, tensor } from 'jitlens';
import type { OpSpec } from '../../../runtime/ops/spec.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { firstOff } from '../support/compare.ts';
import { whollyOnReference } from '../support/devices.ts';
import { calls, ops, type AnyOp } from '../support/entries.ts';
import { floatsOf, outputOf, slope, tensorsFor, unbroadcast, type Call } from '../support/gradients.ts';
import { Random } from '../support/random.ts';
import { argumentsOf, parseSample, tensorsOf } from '../support/samples.ts';

/** Elements of one operand that are looked at. */
const CHECKED = 12;
/** Central differences with a step of 1e-5 are off by the third derivative times 1e-10, and by rounding over the step. */
const TOLERANCE = { relative: 1e-6, absolute: 1e-7 };

function callOf(op: AnyOp, sample: string, random: Random): Call {
  const arguments_ = parseSample(sample);
  const forms = tensorsOf(arguments_);
  const values = forms.map(({ shape, dtype }) => random.values(numel(shape), dtype, op.entry.domain));
  return { op, forms, values, arguments: (tensors) => argumentsOf(arguments_, tensors) };
}

async function checkEntry(op: AnyOp, sample: string): Promise<void> {
  const random = new Random(3);
  const call = callOf(op, sample, random);
  const { forms, values } = call;
  const tensors = tensorsFor(call, values);
  const args = call.arguments(tensors);
  const out = op(...args);
  if (Array.isArray(out)) throw new Error('one tensor');
  const cotangent = random.values(out.numel, 'float32', [-1, 1]);
  const gradients = op.entry.grad?.(tensor(cotangent).view(out.shape), out, ...args) ?? [];
  const operands = Array.isArray(args[0]) ? args[0] : args;
  expect(await outputOf(call)).toEqual([...(await out.data())]);
  for (const [which, form] of forms.entries()) {
    if (form.dtype !== 'float32') continue;
    const gradient = gradients[operands.indexOf(tensors[which])];
    if (!gradient) throw new Error(`no gradient for operand ${which}`);
    expect(gradient.dtype).toBe('float32');
    const given = unbroadcast([...(await gradient.data())], gradient.shape, form.shape);
    await compare(call, cotangent, which, given, random);
  }
}

/** Some elements of a gradient against what moving them does. */
async function compare(call: Call, cotangent: number[], which: number, given: number[], random: Random): Promise<void> {
  const places = random.shuffled(given.map((_, i) => i)).slice(0, CHECKED);
  const wanted = await Promise.all(places.map((at) => slope(call, cotangent, which, at)));
  const off = firstOff(
    places.map((at) => given[at] ?? NaN),
    wanted,
    TOLERANCE,
  );
  expect(off, `operand ${which}`).toBeUndefined();
}

/** Through the tape: what it makes of ops that are ways of writing others. */
async function checkTape(op: AnyOp, sample: string): Promise<void> {
  const random = new Random(3);
  const call = callOf(op, sample, random);
  const tensors = tensorsFor(call, call.values);
  const inputs = tensors.filter((x) => x.dtype === 'float32').map((x) => x.requiresGrad_());
  const outs = floatsOf(op(...call.arguments(tensors)));
  expect(outs.length).toBeGreaterThan(0);
  const cotangents = outs.map((x) => random.values(x.numel, 'float32', [-1, 1]));
  const starts = outs.map((x, i) => tensor(cotangents[i] ?? []).view(x.shape));
  const from = outs.flatMap((x, i) => (x.requiresGrad ? [i] : []));
  const made = grad(
    outs.filter((_, i) => from.includes(i)),
    inputs,
    { gradOutputs: starts.filter((_, i) => from.includes(i)) },
  );
  for (const [i, x] of inputs.entries()) {
    const given = made[i];
    if (given) expect([given.dtype, given.shape]).toEqual([x.dtype, x.shape]);
    await compare(
      call,
      cotangents.flat(),
      tensors.indexOf(x),
      given ? [...(await given.data())] : new Array<number>(x.numel).fill(0),
      random,
    );
  }
}

const differentiable = calls.filter(({ op, sample }) => op.entry.grad && /f32\[/.test(sample));

describe('gradients', () => {
  test.each(differentiable)('$name $sample', ({ op, sample }) => whollyOnReference(() => checkEntry(op, sample)));
});

/** Ops whose results nothing flows back from. */
const CUT = new Set(['detach', 'argmax', 'argmin', 'argsort', 'searchsorted', 'multinomial', 'any', 'all', 'to']);
const composed = calls.filter(
  ({ name, op, sample }) => !op.entry.grad && !op.entry.spec && !CUT.has(name) && /f32\[/.test(sample),
);

describe('gradients of composites', () => {
  test.each(composed)('$name $sample', ({ op, sample }) => whollyOnReference(() => checkTape(op, sample)));
});

/** Ways of writing other ops, ops in place, and ops that give truth values have no gradient of their own. */
function excused({ spec }: { readonly spec?: OpSpec }): boolean {
  if (!spec || spec.inPlace) return true;
  return (
    spec.kind === 'elementwise' &&
    spec.infer(
      spec.params.map(() => ({ shape: [], dtype: 'float32' })),
      {},
    ).dtype === 'bool'
  );
}

test('every op has a gradient or a reason to have none', () => {
  const without = ops.filter(([, { entry }]) => !entry.grad && !excused(entry as { spec?: OpSpec }));
  expect(without.map(([name]) => name)).toEqual([]);
});
