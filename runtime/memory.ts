/**
 * @file Memory as users see it. In: functions that make tensors. Out: their results, with all else that they made given back at
 * once; and what the device holds. Without scopes, memory goes when the garbage collector finds out.
 */
import type { MemoryUse } from './device/buffers.ts';
import { JitLensError } from './errors.ts';
import { flattenTree } from './jit/tree.ts';
import { GpuBackend } from './kernels/eager.ts';
import { currentBackend } from './tensor/backend.ts';
import { keepStorage, scoped } from './tensor/scope.ts';
import type { Tensor } from './tensor/tensor.ts';

/**
 * Runs `body`, then disposes of every tensor that it made but for those in its result (a tensor, or lists and records of them),
 * those given to `keep`, and gradients that `backward()` left in `.grad`. Scopes nest. Errors: JLT-SCOPE for an async body,
 * which would go on after its scope.
 */
export function scope<T>(body: () => T): T {
  return scoped(body, (result) => {
    if (result instanceof Promise) {
      throw new JitLensError(
        'JLT-SCOPE',
        'the body of a scope is async, and goes on after the scope has ended',
        'Make the tensors in a function that returns them, and await their values outside the scope.',
      );
    }
    return flattenTree(result, 'the result of a scope').tensors.map((x) => x.storage);
  });
}

/** The tensor stays when the scopes around end. Returns it. */
export function keep(x: Tensor): Tensor {
  keepStorage(x.storage);
  return x;
}

/** What tensors and traces hold on the current device; undefined on the reference device, whose memory is JavaScript's own. */
export function memory(): MemoryUse | undefined {
  const backend = currentBackend();
  return backend instanceof GpuBackend ? backend.gpu.pool.memory : undefined;
}
