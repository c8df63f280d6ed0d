/**
 * @file Compute pipelines. In: kernel text. Out: a pipeline, made once for each text, with its bind groups remembered:
 * a loop that runs the same ops over recycled buffers makes none. Dawn's own threads compile it while the code goes on.
 */
import { invariant } from '../errors.ts';
import type { PooledBuffer } from './buffers.ts';

/** What dynamic offsets must be a multiple of. */
const OFFSET_ALIGNMENT = 256;
const REMEMBERED_GROUPS = 4096;

/** How a kernel uses a buffer: as a uniform of so many bytes, which all threads read alike, or as storage. */
export type Access = 'read' | 'write' | { readonly uniformBytes: number };

export interface PipelineForm {
  readonly wgsl: string;
  /** Of each bound buffer. */
  readonly access: readonly Access[];
  /** 32-bit words of parameters. */
  readonly parameters: number;
}

/** Bytes that so many parameters take in a batch. */
export function parameterRoom(words: number): number {
  return Math.ceil((words * 4) / OFFSET_ALIGNMENT) * OFFSET_ALIGNMENT;
}

/** What a dispatch runs: one pipeline, or the one of several that turns out to be the fastest. */
export interface Runnable {
  /** Absent until it can run, and where it never will. */
  readonly handle: GPUComputePipeline | undefined;
  /** Why the device refused it. */
  readonly refusal: string | undefined;
  readonly isSettled: boolean;
  /** Resolves when it can run, or was refused. */
  readonly settled: Promise<void>;
  readonly form: PipelineForm;
  /** Has it settled now. */
  compile(): void;
  /** `offsets` are the bytes where the bindings begin, 0 where left out. */
  bind(buffers: readonly PooledBuffer[], parameters: GPUBuffer, offsets?: readonly number[]): GPUBindGroup;
}

export class Pipeline implements Runnable {
  handle: GPUComputePipeline | undefined;
  refusal: string | undefined;
  readonly settled: Promise<void>;
  /** What it is compiled from, until it is: Dawn's tree of the text is large. */
  private waiting: GPUComputePipelineDescriptor | undefined;
  private readonly groups = new Map<string, GPUBindGroup>();

  constructor(
    private readonly device: GPUDevice,
    descriptor: GPUComputePipelineDescriptor,
    private readonly layout: GPUBindGroupLayout,
    readonly form: PipelineForm,
  ) {
    this.waiting = descriptor;
    this.settled = device.createComputePipelineAsync(descriptor).then(
      (handle) => this.settle(handle),
      (error: unknown) => this.settle(undefined, error instanceof Error ? error.message : String(error)),
    );
  }

  get isSettled(): boolean {
    return this.waiting === undefined;
  }

  /** Has it now, compiled by this thread unless it is there. */
  compile(): void {
    if (this.waiting) this.settle(this.device.createComputePipeline(this.waiting));
  }

  private settle(handle: GPUComputePipeline | undefined, refusal?: string): void {
    if (!this.waiting) return;
    this.handle = handle;
    this.refusal = refusal;
    this.waiting = undefined;
  }

  /** Remembered: it is made once for the same buffers. */
  bind(buffers: readonly PooledBuffer[], parameters: GPUBuffer, offsets: readonly number[] = []): GPUBindGroup {
    let key = '';
    buffers.forEach((b, i) => (key += offsets[i] ? `${b.id}+${offsets[i]},` : `${b.id},`));
    const known = this.groups.get(key);
    if (known) return known;
    if (this.groups.size >= REMEMBERED_GROUPS) this.groups.clear();
    const group = this.groupOf(buffers, parameters, offsets);
    this.groups.set(key, group);
    return group;
  }

  groupOf(
    buffers: readonly Pick<PooledBuffer, 'buffer'>[],
    parameters?: GPUBuffer,
    offsets: readonly number[] = [],
  ): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = buffers.map((b, binding) => ({
      binding,
      resource: { buffer: b.buffer, offset: offsets[binding] ?? 0, size: uniformBytesOf(this.form.access[binding]) },
    }));
    const { parameters: words } = this.form;
    if (words > 0) {
      const buffer = invariant(parameters, 'a kernel with parameters is given them');
      entries.push({ binding: buffers.length, resource: { buffer, size: words * 4 } });
    }
    return this.device.createBindGroup({ layout: this.layout, entries });
  }
}

export class Pipelines {
  private readonly made = new Map<string, Pipeline>();
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(private readonly device: GPUDevice) {}

  get size(): number {
    return this.made.size;
  }

  get(form: PipelineForm): Pipeline {
    const known = this.made.get(form.wgsl);
    if (known) return known;
    const { group, pipeline } = this.layout(form);
    const module = this.device.createShaderModule({ code: form.wgsl });
    const made = new Pipeline(this.device, { layout: pipeline, compute: { module, entryPoint: 'main' } }, group, form);
    this.made.set(form.wgsl, made);
    return made;
  }

  private layout({ access, parameters }: PipelineForm) {
    const key = `${access.map((a) => (typeof a === 'object' ? 'uniform' : a)).join()}:${parameters}`;
    const known = this.layouts.get(key);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = access.map((a, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: typeof a === 'object' ? 'uniform' : a === 'write' ? 'storage' : 'read-only-storage' },
    }));
    if (parameters > 0) {
      const buffer: GPUBufferBindingLayout = { type: 'uniform', hasDynamicOffset: true, minBindingSize: parameters * 4 };
      entries.push({ binding: access.length, visibility: GPUShaderStage.COMPUTE, buffer });
    }
    const group = this.device.createBindGroupLayout({ entries });
    const made = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.layouts.set(key, made);
    return made;
  }
}

const uniformBytesOf = (access: Access | undefined): number | undefined =>
  typeof access === 'object' ? access.uniformBytes : undefined;
