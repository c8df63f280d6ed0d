/** @file Runs a piece of a test on the reference device, float64 on the CPU, and then puts the device before it back. */
import { ReferenceBackend } from '../../../runtime/device/reference.ts';
import { setCurrentBackend } from '../../../runtime/tensor/backend.ts';

export function onReference<T>(body: () => T): T {
  const previous = setCurrentBackend(new ReferenceBackend());
  try {
    return body();
  } finally {
    setCurrentBackend(previous);
  }
}
