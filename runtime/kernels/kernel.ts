/**
 * @file One kernel, ready to be compiled. In: lowered groups that it computes side by side, mostly one, and which storage each of
 * their tensors lies in. Out: its text, the storages to bind, and its launch. What one section stores no other may bind.
 */
import { invariant } from '../errors.ts';
import { layoutOf } from '../ir/graph.ts';
import { dtypes, type DType } from '../tensor/dtype.ts';
import { extent } from '../tensor/layout.ts';
import type { Target } from '../device/gpu.ts';
import type { Access, PipelineForm } from '../device/pipelines.ts';
import type { Lowered } from './lower.ts';
import { renamed, WITH_EXTENT } from './names.ts';
import { based } from './offsets.ts';
import { asBound, rewritten, schedules, vectorOf, type Schedule } from './schedule.ts';
import { groupIn, kernelText, type BoundBuffer, type KernelText } from './sections.ts';
import { uniformBytes, uniformsOf } from './uniforms.ts';
import { emit } from './wgsl.ts';

export interface Kernel<S> {
  readonly text: KernelText;
  readonly form: PipelineForm;
  /** What to bind, in order, and the byte of it where the binding begins. */
  readonly storages: readonly S[];
  readonly offsets: readonly number[];
  readonly schedule: string;
}

/** The storage of the i-th tensor that is read, and then of the roots. */
export type StorageOf<S> = (position: number) => { storage: S; dtype: DType };

/** What one of its sections binds. */
export interface Binding<S> extends BoundBuffer {
  readonly storage: S;
  /** The byte where it begins. */
  readonly offset: number;
}

/** One lowered group as it will run. */
export interface Section<S> {
  readonly schedule: Schedule;
  readonly bindings: readonly Binding<S>[];
  /** Which of them each tensor is in, those that are read first. */
  readonly slots: readonly number[];
}

interface Options {
  /** Whether sizes and numbers are parameters of the text. */
  readonly parametric: boolean;
  readonly target: Target;
}

export function planSection<S extends object>(lowered: Lowered, storageOf: StorageOf<S>, options: Options): Section<S> {
  const [first] = planSections(lowered, storageOf, options);
  return first;
}

/** The one that should be fastest, and others that may be faster; they bind the same. */
export function planSections<S extends object>(
  lowered: Lowered,
  storageOf: StorageOf<S>,
  { parametric, target }: Options,
): readonly [Section<S>, ...Section<S>[]] {
  const { bindings, slots } = bindingsOf(lowered.reads.length, lowered.roots.length, storageOf);
  const alone = [...lowered.reads.keys()].filter((i) => slots.filter((slot) => slot === slots[i]).length === 1);
  const { nest, offsets } = based(lowered.nest, new Set(parametric ? [] : alone));
  const at = bindings.map((b, slot) => ({ ...b, offset: offsets.get(slots.indexOf(slot)) ?? 0 }));
  const room = (buffer: number): number => {
    const read = lowered.reads[buffer];
    if (!read) return 0;
    const layout = layoutOf(read);
    return layout.offset + extent(layout) - (offsets.get(buffer) ?? 0) / dtypes[read.meta.dtype].bytes;
  };
  const section = (chosen: Schedule): Section<S> => {
    const isFixed = !parametric && target.kind === 'gpu' && chosen.kind === 'thread per element';
    const plan = isFixed ? { ...chosen, uniforms: uniformsOf(chosen, room) } : asBound(chosen, slots);
    return { schedule: plan, bindings: inVectors(plan, slots, at), slots };
  };
  const [first, ...rest] = schedules(rewritten(nest), target);
  return [section(first), ...rest.map(section)];
}

/** The bindings, with the vectors that a schedule accesses them in, and what it reads as uniforms. */
export function inVectors<B extends BoundBuffer>(plan: Schedule, slots: readonly number[], bindings: readonly B[]): B[] {
  const of = (slot: number) => slots.flatMap((s, buffer) => (s === slot ? [buffer] : []));
  return bindings.map((b, slot) => {
    const elements = of(slot).map((buffer) => plan.uniforms?.get(buffer) ?? Infinity);
    const uniform = b.writable ? Infinity : Math.max(...elements);
    return { ...b, vector: vectorOf(plan, of(slot)), uniform: Number.isFinite(uniform) ? uniform : undefined };
  });
}

export function buildKernel<S extends object>(sections: readonly Section<S>[], parametric: boolean): Kernel<S> {
  const bindings = boundBy(sections);
  const sizes = new Set(sections.map((s) => s.schedule.workgroupSize));
  const [size] = sizes;
  const workgroupSize = invariant(sizes.size === 1 && size, 'what runs side by side has workgroups of one size');
  const texts = sections.map((s) => {
    const slots = s.slots.map((slot) => bindings.findIndex((b) => isSame(b, invariant(s.bindings[slot], 'a binding'))));
    return emit(s.schedule, slots, bindings, parametric ? 'parameters' : 'written', groupIn(sections.length));
  });
  const written = kernelText(texts, bindings, workgroupSize);
  // Else each shape would have a text, and a pipeline, of its own.
  const text = parametric ? { ...written, wgsl: renamed(written.wgsl, WITH_EXTENT) } : written;
  return {
    text,
    form: formOf(text, bindings),
    storages: bindings.map((b) => b.storage),
    offsets: bindings.map((b) => b.offset),
    schedule: scheduleOf(sections.map((s) => sentenceOf(s.schedule))),
  };
}

/** What all of them bind, in order, each once: what is read from another byte on, or in other vectors, is bound again. */
export function boundBy<S extends object>(sections: readonly Pick<Section<S>, 'bindings'>[]): readonly Binding<S>[] {
  const bound: Binding<S>[] = [];
  for (const { bindings } of sections) {
    const before = bound.length;
    for (const b of bindings) {
      const others = bound.slice(0, before).filter(({ storage }) => storage === b.storage);
      invariant(others.length === 0 || [b, ...others].every((x) => !x.writable), 'what runs side by side stores apart');
      if (!others.some((x) => isSame(x, b))) bound.push(b);
    }
  }
  return bound;
}

const isSame = <S>(a: Binding<S>, b: Binding<S>): boolean =>
  a.storage === b.storage && a.offset === b.offset && a.vector === b.vector && a.uniform === b.uniform;

/** What a kernel binds, in order, each storage once; and which of them each tensor is in. */
export function bindingsOf<S extends object>(reads: number, roots: number, storageOf: StorageOf<S>) {
  const bindings: Omit<Binding<S>, 'offset'>[] = [];
  const slots: number[] = [];
  const add = (position: number) => {
    const { storage, dtype } = storageOf(position);
    let slot = bindings.findIndex((b) => b.storage === storage);
    if (slot < 0) slot = bindings.push({ storage, dtype, writable: position >= reads }) - 1;
    slots[position] = slot;
  };
  // The roots first: a tensor that is read from the same storage then shares the writable binding.
  for (let i = 0; i < roots; i++) add(reads + i);
  for (let i = 0; i < reads; i++) add(i);
  return { bindings, slots };
}

export function formOf({ wgsl, parameters }: KernelText, bindings: readonly BoundBuffer[]): PipelineForm {
  const access = bindings.map((b): Access => {
    if (b.uniform !== undefined) return { uniformBytes: uniformBytes(b.uniform) };
    return b.writable ? 'write' : 'read';
  });
  return { wgsl, access, parameters: parameters.length };
}

function scheduleOf(sentences: readonly string[]): string {
  const [only] = sentences;
  if (sentences.length === 1 && only !== undefined) return only;
  return `${sentences.length} side by side, as none fills the device: ${sentences.join('; ')}`;
}

/** The schedule as a person reads it. */
export function sentenceOf({ kind, tile, share, workgroupSize }: Schedule): string {
  const each = kind === 'workgroup per columns' ? `workgroup per ${share?.columns ?? 1} columns` : kind;
  return `${each}${tile > 1 ? `, ${tile} positions a thread` : ''}, ${workgroupSize} threads`;
}

export function bytesOf(dtype: DType, elements: number): number {
  return dtypes[dtype].bytes * elements;
}
