/**
 * @file Finds a WebGPU adapter: the machine's own, else the software one. In: which kind is wanted. Out: a device with
 * everything the adapter can give, and what it is, truthfully named.
 */
import { create, globals } from 'webgpu';
import { JitLensError } from '../errors.ts';
import type { DeviceInfo } from '../profile/model.ts';
import { hasVulkan, installSoftwareDriver } from './software.ts';

/** Without the first, timestamps are rounded to 65,536 ns. The second is what f16 needs on NVIDIA. */
const TOGGLES = [
  'disable-dawn-features=timestamp_quantization',
  'enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis',
];
const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];
const WANTED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly info: DeviceInfo;
}

// Dawn drops a device whose instance was collected.
const instances: GPU[] = [];

export async function openAdapter(want: 'auto' | 'gpu' | 'software'): Promise<OpenDevice> {
  const adapter = (want !== 'software' && (await hardware())) || (want !== 'gpu' && (await software()));
  if (!adapter) {
    throw new JitLensError(
      'JLR-DEVICE',
      want === 'gpu'
        ? 'no GPU was found'
        : want === 'software'
          ? 'the software device could not be opened'
          : 'no device could be opened',
      want === 'gpu'
        ? 'Leave out --device gpu to run on the software device.'
        : 'Use --device reference; `jitlens doctor` says what there is.',
    );
  }
  const device = await adapter.requestDevice({
    requiredFeatures: WANTED_FEATURES.filter((f) => adapter.features.has(f)),
    requiredLimits: Object.fromEntries(WANTED_LIMITS.map((name) => [name, adapter.limits[name]])),
  });
  return { device, info: describe(adapter) };
}

async function hardware(): Promise<GPUAdapter | undefined> {
  const adapter = hasVulkan() ? await request() : undefined;
  return adapter && !isSoftware(adapter) ? adapter : undefined;
}

async function software(): Promise<GPUAdapter | undefined> {
  const adapter = installSoftwareDriver() ? await request() : undefined;
  return adapter && isSoftware(adapter) ? adapter : undefined;
}

async function request(): Promise<GPUAdapter | undefined> {
  Object.assign(globalThis, globals);
  const gpu = create(TOGGLES);
  instances.push(gpu);
  return (await gpu.requestAdapter({ powerPreference: 'high-performance' })) ?? undefined;
}

function isSoftware({ info }: GPUAdapter): boolean {
  return /swiftshader|llvmpipe|lavapipe|software|basic render/i.test(`${info.device} ${info.description} ${info.architecture}`);
}

function describe(adapter: GPUAdapter): DeviceInfo {
  const { info } = adapter;
  const software = isSoftware(adapter);
  return {
    name: software
      ? `${info.architecture || info.device || 'software'} (software, on the CPU)`
      : info.device || info.description || 'GPU',
    kind: software ? 'software' : 'gpu',
    vendor: info.vendor,
    driver: info.description,
    features: [...adapter.features].sort(),
    toggles: TOGGLES,
  };
}
