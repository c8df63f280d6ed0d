/**
 * @file The device that ran. In: the profile's device. Out: one line for a GPU; for any other a notice that cannot be
 * overlooked, because its times say nothing about a GPU.
 */
import type { VNode } from 'preact';
import type { DeviceInfo } from '../../runtime/profile/model.ts';
import { gigaPerSecond, milliseconds } from '../model/format.ts';

function facts(device: DeviceInfo): readonly string[] {
  const { driver, timerResolutionNs, copyBytesPerSecond } = device;
  return [
    driver,
    timerResolutionNs === undefined ? 'no timestamps: wall time only' : `clock step ${milliseconds(timerResolutionNs / 1e6)}`,
    copyBytesPerSecond === undefined ? undefined : `copies ${gigaPerSecond(copyBytesPerSecond, 1000, 'B')}`,
  ].filter((fact) => fact !== undefined);
}

export function DeviceLine({ device }: { readonly device: DeviceInfo }): VNode {
  if (device.kind === 'gpu') {
    return (
      <p class="device">
        <span class="chip">GPU</span>
        <strong title={device.features.join(', ')}>{device.name}</strong>
        <span class="muted">{facts(device).join(' · ')}</span>
      </p>
    );
  }
  const name = device.kind === 'software' ? 'Software device' : 'Reference device';
  return (
    <div class="device notice" role="note">
      <p>
        <span class="chip chip-warning">{name}</span>
        <strong title={device.features.join(', ')}>{device.name}</strong>
        <span class="muted">{facts(device).join(' · ')}</span>
      </p>
      <p>All times here are software times, of kernels that ran on the CPU. They say nothing about how fast a GPU would be.</p>
    </div>
  );
}
