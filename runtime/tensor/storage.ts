/**
 * @file The memory behind tensors. A storage belongs to one backend; views share it. `version` counts writes, so that a
 * reader can tell whether what it saved was overwritten.
 */
import type { DType } from './dtype.ts';
import type { Watch } from '../ops/saved.ts';
import type { Backend } from './backend.ts';

export interface Storage {
  readonly backend: Backend;
  readonly dtype: DType;
  /** Elements it holds. */
  readonly length: number;
  version: number;
  /** Whether gradients need its elements as they are; kept by ops/saved.ts. */
  watch?: Watch;
  /** Gives the memory back at once; reading a view of it afterwards is an error. */
  release(): void;
}
