/**
 * @file What runs ops: a GPU or the reference interpreter. In: an op, operands, attributes, the tensor to fill. Out: its
 * elements, some time later. Nothing here blocks; `read` and `sync` are the only ways to wait.
 */
import type { DeviceInfo } from '../profile/model.ts';
import type { Attributes, OpSpec } from '../ops/spec.ts';
import type { DType, HostArray } from './dtype.ts';
import type { Layout } from './layout.ts';
import type { Shape } from './shape.ts';
import type { Storage } from './storage.ts';
import type { Tensor } from './tensor.ts';
import { JitLensError } from '../errors.ts';

export type Operand = Tensor | number;

export interface Backend {
  readonly info: DeviceInfo;
  /** Memory for the elements of `shape`. Errors: JL409 for a dtype it does not know, JLT-SIZE, JLT-MEMORY. */
  allocate(dtype: DType, shape: Shape): Storage;
  upload(dtype: DType, data: ArrayLike<number>): Storage;
  /** The elements of a view in row-major order. */
  read(storage: Storage, layout: Layout): Promise<HostArray>;
  /** Fills `out`, whose layout may be any view, with `op` of `inputs`. */
  execute(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void;
  /** Resolves when everything asked for so far is done. */
  sync(): Promise<void>;
  /** Where ops can be put off; absent where that gains nothing. */
  putOff?(): Later;
}

/** What takes ops, and runs them when their elements are asked for. */
export interface Later extends Pick<Backend, 'allocate' | 'execute'> {
  readonly backend: Backend;
  /** Whether nothing has been run. */
  readonly isOpen: boolean;
}

let current: Backend | undefined;

/** The backend on which new tensors are made. */
export function currentBackend(): Backend {
  if (!current) {
    throw new JitLensError('JLT-DEVICE', 'no device is open', "Import tensors from 'jitlens', which opens one.");
  }
  return current;
}

/** Whether a device is open. */
export function hasBackend(): boolean {
  return current !== undefined;
}

export function setCurrentBackend(backend: Backend | undefined): Backend | undefined {
  const previous = current;
  current = backend;
  return previous;
}
