/** @file Opens the device on which tensors are made. In: which kind is wanted. Out: the current backend, set. */
import { JitLensError } from '../errors.ts';
import { openAdapter } from '../device/adapter.ts';
import { Gpu } from '../device/gpu.ts';
import { ReferenceBackend } from '../device/reference.ts';
import type { DeviceKind } from '../profile/model.ts';
import { hasBackend, setCurrentBackend, type Backend } from '../tensor/backend.ts';
import { GpuBackend } from './eager.ts';

export const DEVICE_KINDS: readonly DeviceKind[] = ['gpu', 'software', 'reference'];

/** The backend of one kind; without a kind, the best there is. */
export async function openBackend(kind?: DeviceKind): Promise<Backend> {
  if (kind === 'reference') return new ReferenceBackend();
  try {
    const { device, info, subgroup } = await openAdapter(kind ?? 'auto');
    return new GpuBackend(new Gpu(device, info, subgroup));
  } catch (error) {
    if (kind === undefined && error instanceof JitLensError && error.code === 'JLR-DEVICE') return new ReferenceBackend();
    throw error;
  }
}

/** Opens what `JITLENS_DEVICE` asks for and makes it current, unless a device is open already. */
export async function useDefaultDevice(): Promise<void> {
  if (hasBackend()) return;
  const wanted = process.env['JITLENS_DEVICE'];
  const kind = DEVICE_KINDS.find((k) => k === wanted);
  if (wanted && !kind) {
    throw new JitLensError(
      'JLR-DEVICE',
      `JITLENS_DEVICE is ‘${wanted}’`,
      `Use one of ${DEVICE_KINDS.join(', ')}, or leave it unset.`,
    );
  }
  setCurrentBackend(await openBackend(kind));
}
