/**
 * @file `jit.example`: how a file says what to profile. In: what makes the module and its inputs. Out: a value to export,
 * which runs nothing until it is asked.
 */
import type { Module } from '../nn/module.ts';
import type { AnyFunction } from './trace.ts';
import { userFrames, type Frame } from '../frames.ts';

const MARK = Symbol.for('jitlens.example');

export interface ExampleOptions<A extends readonly unknown[]> {
  /** Smaller inputs, for devices that are not GPUs. */
  readonly software?: () => readonly [...A];
}

export interface Example {
  readonly [MARK]: true;
  readonly make: () => AnyFunction | Module;
  readonly inputs: () => readonly unknown[];
  readonly softwareInputs: () => readonly unknown[];
  /** Where it is written. */
  readonly place: Frame | undefined;
}

/** What to trace and profile: `make` gives a module or a function, `inputs` the arguments to call it with. Export it. */
export function example<M extends Module, A extends Parameters<M['forward']>>(
  make: () => M,
  inputs: () => [...A],
  options?: ExampleOptions<A>,
): Example;
export function example<F extends AnyFunction, A extends Parameters<F>>(
  make: () => F,
  inputs: () => [...A],
  options?: ExampleOptions<A>,
): Example;
export function example<A extends readonly unknown[]>(
  make: () => AnyFunction | Module,
  inputs: () => A,
  options: ExampleOptions<A> = {},
): Example {
  return { [MARK]: true, make, inputs, softwareInputs: options.software ?? inputs, place: userFrames()[0] };
}

export function isExample(value: unknown): value is Example {
  return typeof value === 'object' && value !== null && MARK in value;
}
