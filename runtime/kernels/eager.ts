/**
 * @file Eager execution on a GPU. In: one op at a time. Out: one dispatch each, through the same loop nests and WGSL as
 * fused graphs. A call like an earlier one, in everything but the memory it uses, costs a look-up; a call of the same
 * form with other sizes shares the pipeline.
 */
import { JitLensError } from '../errors.ts';
import type { Gpu } from '../device/gpu.ts';
import { sizeText } from '../device/buffers.ts';
import type { Pipeline } from '../device/pipelines.ts';
import { GraphBuilder, type NodeInput } from '../ir/graph.ts';
import { formatAttributes, formOfAttributes, type Attributes, type OpSpec } from '../ops/spec.ts';
import { conversions } from '../ops/convert.ts';
import type { Backend, Operand } from '../tensor/backend.ts';
import { dtypes, type DType, type HostArray } from '../tensor/dtype.ts';
import { contiguous, isContiguous, type Layout } from '../tensor/layout.ts';
import { formatShape, numel, type Shape } from '../tensor/shape.ts';
import { tracked } from '../tensor/scope.ts';
import type { Storage } from '../tensor/storage.ts';
import { Tensor } from '../tensor/tensor.ts';
import { inSteps, type Stepping } from './in-steps.ts';
import { PutOff } from './put-off.ts';
import { buildKernel, planSection } from './kernel.ts';
import { lower } from './lower.ts';
import { bufferOf, giveBack, GpuStorage, memoryOf, type Held } from './storage.ts';
import type { Templates } from './template.ts';

/** A call that was made before: its pipeline, and which operand each binding is (−1 for the result). */
interface Recipe {
  readonly pipeline: Pipeline;
  readonly bindings: readonly number[];
  readonly parameters: Int32Array;
  readonly workgroups: number;
}

/** Calls of one op whose recipes are kept. */
const REMEMBERED_CALLS = 1024;

export class GpuBackend implements Backend, Stepping {
  private readonly recipes = new Map<OpSpec, Map<string, Recipe>>();
  /** Kernels that serve all sizes, while such are wanted. */
  private templates: Templates | undefined;
  private readonly abandoned: FinalizationRegistry<Held>;

  constructor(readonly gpu: Gpu) {
    this.abandoned = new FinalizationRegistry((held) => giveBack(gpu, held));
  }

  /** Runs `body` with kernels out of `templates`, whose pipelines are the same for all sizes and made for one of them. */
  forAllSizes<T>(templates: Templates, body: () => T): T {
    const before = this.templates;
    this.templates = templates;
    try {
      return body();
    } finally {
      this.templates = before;
    }
  }

  get info() {
    return this.gpu.info;
  }

  get most(): number {
    return this.gpu.maxStorageBuffers;
  }

  /** Kernels for all sizes cannot depend on them. */
  get inParts(): boolean {
    return !this.templates;
  }

  allocate(dtype: DType, shape: Shape): GpuStorage {
    const storage = this.withoutMemory(dtype, shape);
    storage.fill();
    return storage;
  }

  /** What has its memory once it is filled. */
  withoutMemory(dtype: DType, shape: Shape, computedBy?: PutOff): GpuStorage {
    this.checkType(dtype);
    const bytes = numel(shape) * dtypes[dtype].bytes;
    const limit = this.gpu.device.limits.maxStorageBufferBindingSize;
    if (bytes > limit) {
      throw new JitLensError(
        'JLT-SIZE',
        `a ${dtype} tensor of shape ${formatShape(shape)} needs ${sizeText(bytes)}, and ${this.info.name} binds at most ${sizeText(limit)}`,
        'Split it.',
      );
    }
    const held: Held = { buffer: undefined };
    const storage = new GpuStorage(this, dtype, shape, held, computedBy);
    this.abandoned.register(storage, held);
    return tracked(storage);
  }

  putOff(): PutOff {
    return new PutOff(this);
  }

  upload(dtype: DType, data: ArrayLike<number>): GpuStorage {
    const storage = this.allocate(dtype, [data.length]);
    this.gpu.upload(storage.buffer, dtypes[dtype].encode(data));
    return storage;
  }

  private checkType(dtype: DType): void {
    const { storage, feature } = dtypes[dtype];
    if (storage && (feature === undefined || this.gpu.device.features.has(feature))) return;
    throw new JitLensError(
      'JL409',
      `${dtype} is not a type of ${this.info.name}`,
      storage ? `It has no ${feature ?? ''}; use float32.` : 'Use float32, or the reference device: JITLENS_DEVICE=reference.',
    );
  }

  async read(storage: Storage, layout: Layout): Promise<HostArray> {
    const count = numel(layout.shape);
    const { dtype } = storage;
    if (count === 0) return dtypes[dtype].decode(new ArrayBuffer(0));
    const source = new Tensor(storage, layout);
    const whole = isContiguous(layout) && layout.offset === 0 ? source : this.compact(source);
    const raw = await this.gpu.download(bufferOf(whole), count * dtypes[dtype].bytes);
    if (whole !== source) whole.dispose();
    await this.gpu.collect();
    return dtypes[dtype].decode(raw);
  }

  private compact(x: Tensor): Tensor {
    const out = new Tensor(this.allocate(x.dtype, x.shape), contiguous(x.shape));
    this.execute(conversions[x.dtype], [x], {}, out);
    return out;
  }

  async sync(): Promise<void> {
    await this.gpu.sync();
    await this.gpu.collect();
  }

  execute(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
    if (out.numel === 0) return;
    memoryOf(out).settle();
    if (inSteps(this, op, inputs, attributes, out)) return;
    const recipe = this.templates ? this.prepare(op, inputs, attributes, out) : this.recipe(op, inputs, attributes, out);
    const { pipeline, parameters, workgroups, bindings } = recipe;
    const buffers = bindings.map((i) => bufferOf(i < 0 ? out : (inputs[i] as Tensor)));
    this.gpu.dispatch({ pipeline, parameters, workgroups, buffers, label: op.name });
  }

  private recipe(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): Recipe {
    const key = signature(inputs, attributes, out);
    let known = this.recipes.get(op);
    if (!known) this.recipes.set(op, (known = new Map<string, Recipe>()));
    let recipe = known.get(key);
    if (!recipe) {
      recipe = this.prepare(op, inputs, attributes, out);
      if (known.size >= REMEMBERED_CALLS) known.clear();
      known.set(key, recipe);
    }
    return recipe;
  }

  private prepare(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): Recipe {
    const build = new GraphBuilder();
    const nodes = inputs.map((x, i): NodeInput => {
      if (typeof x === 'number') return x;
      return build.external({
        role: 'input',
        name: String(i),
        layout: x.layout,
        meta: { shape: x.shape, dtype: x.dtype },
        stack: [],
        storage: i,
      });
    });
    const root = build.op(op, nodes, attributes, { stack: [] });
    const lowered = lower({ roots: [root], inside: new Set([root]) }, { layout: out.layout, dtype: out.dtype });
    const operandOf = (position: number) => nodes.indexOf(lowered.reads[position] ?? NaN);
    const tensorOf = (i: number) => (i < 0 ? out : (inputs[i] as Tensor));
    const storageOf = (position: number) => {
      const { storage, dtype } = tensorOf(operandOf(position));
      return { storage, dtype };
    };
    const { templates, gpu } = this;
    const kernel = templates
      ? templates.kernel(formOfCall(op, inputs, attributes), lowered, storageOf, gpu.target, () => true)
      : buildKernel([planSection(lowered, storageOf, { parametric: true, target: gpu.target })], true);
    const bindings = kernel.storages.map((s) =>
      s === out.storage ? -1 : inputs.findIndex((x) => typeof x === 'object' && x.storage === s),
    );
    const { parameters, workgroups } = kernel.text;
    return { pipeline: this.gpu.pipelines.get(kernel.form), bindings, parameters, workgroups };
  }
}

/** What a call is, whatever its sizes are. */
function formOfCall(op: OpSpec, inputs: readonly Operand[], attributes: Attributes): string {
  return `${op.name}${formOfAttributes(attributes)}${inputs.map((x) => (typeof x === 'number' ? '#' : `${x.dtype}${x.rank}`)).join()}`;
}

/** Everything about a call that its kernel depends on; which storages coincide is part of it. */
function signature(inputs: readonly Operand[], attributes: Attributes, out: Tensor): string {
  let key = `${formatAttributes(attributes)}|${out.form}`;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i] ?? 0;
    if (typeof x === 'number') key += `;n${Object.is(x, -0) ? '-0' : x}`;
    else if (x.storage === out.storage) key += `;=${x.form}`;
    else {
      const twin = inputs.findIndex((y) => typeof y === 'object' && y.storage === x.storage);
      key += twin === i ? `;${x.form}` : `;${twin}:${x.form}`;
    }
  }
  return key;
}
