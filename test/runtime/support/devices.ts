/** @file Runs a piece of a test on the reference device, float64 on the CPU, and then puts the device before it back. */
import { ReferenceBackend } from '../../../runtime/device/reference.ts';
import { setCurrentBackend } from '../../../runtime/tensor/backend.ts';

const reference = new ReferenceBackend();

/** For pieces that make tensors and run ops at once; what they give may be awaited outside. */
export function onReference<T>(body: () => T): T {
  const previous = setCurrentBackend(reference);
  try {
    return body();
  } finally {
    setCurrentBackend(previous);
  }
}

/** For pieces that read results in between. */
export async function whollyOnReference(body: () => Promise<void>): Promise<void> {
  const previous = setCurrentBackend(reference);
  try {
    await body();
  } finally {
    setCurrentBackend(previous);
  }
}
