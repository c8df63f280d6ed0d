/**
 * @file One kernel, ready to be compiled. In: a lowered group and which storage each of its tensors lies in. Out: its
 * text, the storages to bind, and its launch.
 */
import { dtypes, type DType } from '../tensor/dtype.ts';
import type { Target } from '../device/gpu.ts';
import type { PipelineForm } from '../device/pipelines.ts';
import type { Lowered } from './lower.ts';
import { based } from './offsets.ts';
import { schedule, type Schedule } from './schedule.ts';
import { emit, type KernelText } from './wgsl.ts';

export interface Kernel<S> {
  readonly text: KernelText;
  readonly form: PipelineForm;
  /** What to bind, in order, and the byte of it where the binding begins. */
  readonly storages: readonly S[];
  readonly offsets: readonly number[];
  readonly schedule: string;
}

/** `storageOf` gives the storage of the i-th tensor that is read, and then of the roots. */
export function buildKernel<S extends object>(
  lowered: Lowered,
  storageOf: (position: number) => { storage: S; dtype: DType },
  options: { parametric: boolean; target: Target },
): Kernel<S> {
  const storages: S[] = [];
  const bound: { dtype: DType; writable: boolean }[] = [];
  const slots: number[] = [];
  const { reads, roots } = lowered;
  // The roots first: a tensor that is read from the same storage then shares the writable binding.
  for (const position of [...roots.keys()].map((i) => reads.length + i).concat(...reads.keys())) {
    const { storage, dtype } = storageOf(position);
    let slot = storages.indexOf(storage);
    if (slot < 0) {
      slot = storages.push(storage) - 1;
      bound.push({ dtype, writable: position >= reads.length });
    }
    slots[position] = slot;
  }
  const alone = [...reads.keys()].filter((i) => slots.filter((slot) => slot === slots[i]).length === 1);
  const { nest, offsets } = based(lowered.nest, new Set(options.parametric ? [] : alone));
  const plan = schedule(nest, options.target);
  const text = emit(plan, slots, bound, options.parametric);
  return {
    text,
    form: { wgsl: text.wgsl, writable: bound.map((b) => b.writable), parameters: text.parameters.length },
    storages,
    offsets: storages.map((_, slot) => offsets.get(slots.indexOf(slot)) ?? 0),
    schedule: sentenceOf(plan),
  };
}

/** The schedule as a person reads it. */
function sentenceOf({ kind, tile, share, workgroupSize }: Schedule): string {
  const each = kind === 'workgroup per columns' ? `workgroup per ${share?.columns ?? 1} columns` : kind;
  return `${each}${tile > 1 ? `, ${tile} positions a thread` : ''}, ${workgroupSize} threads`;
}

export function bytesOf(dtype: DType, elements: number): number {
  return dtypes[dtype].bytes * elements;
}
