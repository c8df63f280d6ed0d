/** Every op of the table, on every sample, however its operands lie in memory: eager, traced and reference agree. */
import { describe, expect, test } from 'vitest';
import { JitLensError, jit, type Tensor } from 'jitlens';
import { table } from '../../../runtime/ops/table.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { arranged, arrangements, type Arrangement } from '../support/arrange.ts';
import { expectSame, read } from '../support/compare.ts';
import { onReference } from '../support/devices.ts';
import { calls, ops, type AnyOp } from '../support/entries.ts';
import { Random } from '../support/random.ts';
import { argumentsOf, emptied, parseSample, tensorsOf, type ArgumentForm } from '../support/samples.ts';

function operands(op: AnyOp, forms: readonly ArgumentForm[], how: Arrangement, seed: number): Tensor[] {
  const random = new Random(seed);
  return tensorsOf(forms).map(({ shape, dtype }) =>
    arranged(shape, random.values(numel(shape), dtype, op.entry.domain), dtype, how),
  );
}

/** What a call gives, or the code of the error with which it is refused: strides cannot always say a view. */
function attempt(call: () => unknown): { readonly result?: unknown; readonly refused?: string } {
  try {
    return { result: call() };
  } catch (error) {
    if (error instanceof JitLensError) return { refused: error.code };
    throw error;
  }
}

/** Who may refuse one of its samples, or a sample without elements. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'JLT-VIEW': ['view'],
  'JLT-PAD': ['pad'],
  'JLT-EMPTY': ['amax', 'amin', 'max', 'min', 'argmax', 'argmin'],
};

async function check(op: AnyOp, forms: readonly ArgumentForm[], how: Arrangement): Promise<void> {
  const run = (...tensors: Tensor[]) => op(...argumentsOf(forms, tensors));
  const inputs = (seed: number) => operands(op, forms, how, seed);
  const wanted = onReference(() => attempt(() => run(...inputs(2))));
  const eager = attempt(() => run(...inputs(2)));
  expect(eager.refused).toBe(wanted.refused);
  if (wanted.refused !== undefined) {
    expect(REFUSED[wanted.refused]).toContain(op.entry.name);
    expect(attempt(() => jit.trace(run, inputs(1))).refused).toBe(wanted.refused);
    return;
  }
  const reference = await read(wanted.result);
  expectSame(await read(eager.result), reference, op.entry.tolerance, 'eager against reference');
  // Traced with other values than it is called with, so that none of them can have been built in.
  const traced = jit.trace(run, inputs(1));
  expectSame(await read(traced(...inputs(2))), reference, op.entry.tolerance, 'traced against reference');
  expect(traced.info.compiled).toHaveLength(1);
}

describe.each(arrangements)('operands %s', (how) => {
  test.each(calls)('$name $sample', ({ op, sample }) => check(op, parseSample(sample), how));
});

/** Sizes stand in the arguments of these, or kernels, which have elements: a sample cannot be emptied without rewriting it. */
const SIZED = new Set([
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'maxPool1d',
  'maxPool2d',
  'avgPool1d',
  'avgPool2d',
  'adaptiveAvgPool2d',
  'adaptiveMaxPool2d',
  'interpolate',
  'layerNorm',
  'topk',
  'rmsNorm',
  'pixelShuffle',
  'pixelUnshuffle',
  'view',
  'reshape',
  'unflatten',
  'broadcastTo',
  'expand',
  'select',
  'narrow',
  'fold',
  'unfold',
  'unbind',
  'split',
  'chunk',
]);

describe('operands without elements', () => {
  const empty = calls.flatMap((call) => {
    const forms = SIZED.has(call.name) ? undefined : emptied(parseSample(call.sample));
    return forms ? [{ ...call, forms }] : [];
  });
  test.each(empty)('$name $sample', ({ op, forms }) => check(op, forms, 'as is'));
});

test('every op has a sample, or is the in-place form of one that has', () => {
  const covered = new Set(calls.map((call) => call.name));
  expect(ops.filter(([name]) => !covered.has(name) && !covered.has(name.replace(/_$/, ''))).map(([name]) => name)).toEqual([
    'copy_',
    // What these give must be awaited; they have tests of their own.
    'nonzero',
    'maskedSelect',
    'unique',
  ]);
  expect(Object.keys(table)).toHaveLength(ops.length);
});
