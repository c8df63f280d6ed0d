/**
 * @file Eager, traced and reference runs of one function. In: the function and what makes its inputs. Out: whether all
 * of them give the same, and the trace, for questions about its kernels.
 */
import { jit, type Tensor } from 'jitlens';
import type { KernelSection } from '../../../runtime/jit/choose.ts';
import type { PlannedKernel } from '../../../runtime/jit/compile.ts';
import type { Compiled, TraceInfo } from '../../../runtime/jit/trace.ts';
import type { Tolerance } from '../../../runtime/ops/spec.ts';
import { expectSame, read } from './compare.ts';
import { onReference } from './devices.ts';

export const CLOSE: Tolerance = { relative: 2e-5, absolute: 2e-5 };

/**
 * Runs it on equal inputs, which are compared afterwards too, and traced twice; gives the trace. It is traced with inputs
 * made alike but never run on those, so writes to the example inputs do no harm.
 */
export async function compared<A extends [Tensor, ...Tensor[]]>(fn: (...inputs: A) => unknown, make: () => A, tolerance = CLOSE) {
  const run = (by: (...inputs: A) => unknown) => {
    const inputs = make();
    return read([by(...inputs), inputs]);
  };
  const reference = await onReference(() => run(fn));
  const traced = traceOf(fn, make());
  expectSame(await run(fn), reference, tolerance, 'eager against reference');
  expectSame(await run(traced), reference, tolerance, 'traced against reference');
  expectSame(await run(traced), reference, tolerance, 'traced, again');
  expectSame(await onReference(() => run(traceOf(fn, make()))), reference, tolerance, 'traced on the reference device');
  return traced;
}

/** `jit.trace` of a function of tensors. */
export function traceOf<A extends [Tensor, ...Tensor[]]>(fn: (...inputs: A) => unknown, inputs: A) {
  return jit.trace(fn, inputs);
}

export function onlyTrace({ info }: { readonly info: TraceInfo }): Compiled {
  const [compiled] = info.compiled;
  if (!compiled || info.compiled.length > 1) throw new Error(`${info.compiled.length} traces`);
  return compiled;
}

/** Kernels that one call of the traced function launches. */
export function dispatches(traced: { readonly info: TraceInfo }): number {
  return kernelsOf(traced).length;
}

/** What they compute, in order: several run side by side in one kernel. */
export function sectionsOf(traced: { readonly info: TraceInfo }): readonly KernelSection[] {
  return kernelsOf(traced).flatMap((k) => k.sections);
}

export function kernelsOf(traced: { readonly info: TraceInfo }): readonly PlannedKernel[] {
  const { plan } = onlyTrace(traced);
  if (!plan) throw new Error('traced on a device without kernels');
  return plan.kernels;
}
