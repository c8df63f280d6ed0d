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
/** Dawn's own, which the types do not know: products of small matrices by subgroups. */
const MATRICES = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;
const WANTED_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups', MATRICES];
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
  /** Threads of a subgroup, where all are that large, multiply matrices of halves, and add up in float32. */
  readonly subgroup?: number;
}

// Dawn drops a device whose instance was collected.
const instances: GPU[] = [];
const devices = new Set<GPUDevice>();

/** Drivers still compile in threads of their own when a process ends, and would crash without what they compile for: it waits. */
function destroyAtExit(device: GPUDevice): void {
  if (devices.size === 0) process.once('exit', () => devices.forEach((open) => open.destroy()));
  devices.add(device);
}

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
  destroyAtExit(device);
  return { device, info: describe(adapter), subgroup: matrixSubgroup(adapter) };
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

/** What Dawn tells of a product of matrices that subgroups have. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

function matrixSubgroup({ features, info }: GPUAdapter): number | undefined {
  if (!features.has(MATRICES)) return undefined;
  const { subgroupMinSize, subgroupMaxSize } = info;
  const { subgroupMatrixConfigs = [] } = info as { subgroupMatrixConfigs?: Iterable<MatrixConfig> };
  const fits = [...subgroupMatrixConfigs].some(
    (c) => c.componentType === 'f16' && c.resultComponentType === 'f32' && c.M === 16 && c.N === 16 && c.K === 16,
  );
  return fits && subgroupMinSize === subgroupMaxSize ? subgroupMaxSize : undefined;
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
