/** @file The hook through which a trace sees every op. In: each call, after it ran. At most one recorder is active. */
import type { Backend, Later, Operand } from '../tensor/backend.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Attributes, OpSpec } from './spec.ts';

export interface Recorder {
  /** Where ops are worked out without being run, when the code is only looked at: results have shapes and no elements. */
  readonly device?: Backend;
  /** What takes the ops of its device, when they need not run at once. */
  readonly later?: Later;
  record(spec: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void;
  /** Whether the tensor was made while recording, or is known from outside. */
  knows(tensor: Tensor): boolean;
  /** What errors call the tensor from outside that this is, or is a view of; undefined for what was made while recording. */
  outside(tensor: Tensor): string | undefined;
  /** A tensor was made from host data while recording. */
  recordData(tensor: Tensor): void;
  /** The code asked whether a module is training: the answer is part of what is recorded. */
  readMode(module: Moded): void;
}

/** What behaves in one way while it is trained and in another while it is used. */
export interface Moded {
  readonly training: boolean;
}

let active: Recorder | undefined;

export function activeRecorder(): Recorder | undefined {
  return active;
}

/** Runs `body` with `recorder` (or with none) hearing every op, then puts the previous one back. */
export function withRecorder<T>(recorder: Recorder | undefined, body: () => T): T {
  const previous = active;
  active = recorder;
  try {
    return body();
  } finally {
    active = previous;
  }
}
