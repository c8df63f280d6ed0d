/**
 * @file `jit.trace` as users have it: a trace that also says, where asked, what it takes for granted. In: as `trace`, and options.
 * Out: the traced function; with `check` it carries diagnostics.
 */
import type { Module } from '../nn/module.ts';
import { trace as record, type AnyFunction, type Traced } from '../jit/trace.ts';
import type { Diagnostic } from '../profile/diagnostic.ts';
import { checkTrace } from './check-trace.ts';

export interface TraceOptions {
  /**
   * Also looks at the code once more, and at other sizes, without running its ops: side effects of its own happen several times.
   * Off where left out, since a step that trains must not run more often than it is called.
   */
  readonly check?: boolean;
}

/** `diagnostics`: what the trace takes for granted (JL601–JL612), with `check` alone. */
export type Checked<F extends AnyFunction> = Traced<F> & { readonly diagnostics?: readonly Diagnostic[] };

/**
 * Runs `fn` (or `module.forward`) on `inputs`, records it, and gives a function that runs the compiled graph. Random numbers
 * are drawn anew at every call, the same as eagerly. Errors: JL608 for values that a trace cannot follow, JL609 for writes it
 * cannot express, JL610 for a function that gives no tensor.
 */
export function trace<F extends AnyFunction>(fn: F, inputs: Parameters<F>, options?: TraceOptions): Checked<F>;
export function trace<M extends Module>(
  module: M,
  inputs: Parameters<M['forward']>,
  options?: TraceOptions,
): Checked<M['forward']>;
export function trace(
  target: AnyFunction | Module,
  inputs: readonly unknown[],
  { check = false }: TraceOptions = {},
): Checked<AnyFunction> {
  // Before the first run: only then it shows which arms are never taken.
  const diagnostics = check ? checkTrace(target, inputs) : undefined;
  const traced = record(target as AnyFunction, inputs as never);
  return diagnostics ? Object.assign(traced, { diagnostics }) : traced;
}
