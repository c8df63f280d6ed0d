/**
 * @file A device without elements: tensors on it have shapes and dtypes, and ops on them give the same. Code that is compiled
 * by looking at it runs here, so that an arm of an `if` can be looked at without being taken.
 */
import { JitLensError } from '../errors.ts';
import type { Backend } from '../tensor/backend.ts';
import type { DType, HostArray } from '../tensor/dtype.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import type { Storage } from '../tensor/storage.ts';

export class AbstractBackend implements Backend {
  readonly info = { name: 'no device: the code is only looked at', kind: 'reference', features: [], toggles: [] } as const;

  allocate(dtype: DType, shape: Shape): Storage {
    return { backend: this, dtype, length: numel(shape), version: 0, release: () => undefined };
  }

  upload(dtype: DType, data: ArrayLike<number>): Storage {
    return this.allocate(dtype, [data.length]);
  }

  read(): Promise<HostArray> {
    return Promise.reject(
      new JitLensError('JL403', 'a tensor is read while its code is being compiled', 'Return it, and read it outside.'),
    );
  }

  execute(): void {
    // Shapes are all there is, and these are known.
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }
}
