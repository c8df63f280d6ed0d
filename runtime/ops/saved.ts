/** @file Guards values that were saved for a gradient. In: tensors and their versions. Out: an error if one is read after it was overwritten. */
import { JitLensError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

interface Guard {
  readonly saved: readonly (readonly [tensor: Tensor, version: number])[];
  readonly name: string;
}

let active: Guard | undefined;

/** Runs the gradient of op `name`, refusing reads of saved tensors that have changed since. */
export function withOverwriteGuard<T>(saved: Guard['saved'], name: string, body: () => T): T {
  const previous = active;
  active = { saved, name };
  try {
    return body();
  } finally {
    active = previous;
  }
}

/** Called for every operand of every op. */
export function checkSaved(x: Tensor): void {
  if (!active) return;
  for (const [tensor, version] of active.saved) {
    if (tensor !== x || version === x.storage.version) continue;
    throw new JitLensError(
      'JL407',
      `the gradient of ${active.name} needs a tensor that was overwritten in place since`,
      'Use the out-of-place form where it was written, or clone() it before.',
    );
  }
}
