/**
 * @file One kernel, ready to be compiled. In: a lowered group and which storage each of its tensors lies in. Out: its
 * text, the storages to bind, and its launch.
 */
import { dtypes, type DType } from '../tensor/dtype.ts';
import type { Target } from '../device/gpu.ts';
import type { PipelineForm } from '../device/pipelines.ts';
import type { Lowered } from './lower.ts';
import { based } from './offsets.ts';
import { rewritten, schedule, type Schedule } from './schedule.ts';
import { emit, type BoundBuffer, type KernelText } from './wgsl.ts';

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

export function buildKernel<S extends object>(
  lowered: Lowered,
  storageOf: StorageOf<S>,
  options: { parametric: boolean; target: Target },
): Kernel<S> {
  const { storages, buffers, slots } = bindingsOf(lowered.reads.length, lowered.roots.length, storageOf);
  const alone = [...lowered.reads.keys()].filter((i) => slots.filter((slot) => slot === slots[i]).length === 1);
  const { nest, offsets } = based(lowered.nest, new Set(options.parametric ? [] : alone));
  const plan = schedule(rewritten(nest), options.target);
  const text = emit(plan, slots, buffers, options.parametric ? 'parameters' : 'written');
  return {
    text,
    form: formOf(text, buffers),
    storages,
    offsets: storages.map((_, slot) => offsets.get(slots.indexOf(slot)) ?? 0),
    schedule: sentenceOf(plan),
  };
}

/** What a kernel binds, in order: each storage once. */
export interface Bindings<S> {
  readonly storages: readonly S[];
  readonly buffers: readonly BoundBuffer[];
  /** Which of them each tensor is in, those that are read first. */
  readonly slots: readonly number[];
}

export function bindingsOf<S extends object>(reads: number, roots: number, storageOf: StorageOf<S>): Bindings<S> {
  const storages: S[] = [];
  const buffers: BoundBuffer[] = [];
  const slots: number[] = [];
  const add = (position: number) => {
    const { storage, dtype } = storageOf(position);
    let slot = storages.indexOf(storage);
    if (slot < 0) {
      slot = storages.push(storage) - 1;
      buffers.push({ dtype, writable: position >= reads });
    }
    slots[position] = slot;
  };
  // The roots first: a tensor that is read from the same storage then shares the writable binding.
  for (let i = 0; i < roots; i++) add(reads + i);
  for (let i = 0; i < reads; i++) add(i);
  return { storages, buffers, slots };
}

export function formOf({ wgsl, parameters }: KernelText, buffers: readonly BoundBuffer[]): PipelineForm {
  return { wgsl, writable: buffers.map((b) => b.writable), parameters: parameters.length };
}

/** The schedule as a person reads it. */
export function sentenceOf({ kind, tile, share, workgroupSize }: Schedule): string {
  const each = kind === 'workgroup per columns' ? `workgroup per ${share?.columns ?? 1} columns` : kind;
  return `${each}${tile > 1 ? `, ${tile} positions a thread` : ''}, ${workgroupSize} threads`;
}

export function bytesOf(dtype: DType, elements: number): number {
  return dtypes[dtype].bytes * elements;
}
