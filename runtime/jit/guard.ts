/**
 * @file Guards: what a trace takes for granted about a call. In: a call's arguments. Out: a key that two calls share only
 * if one trace serves both, and for two that differ, what differs.
 */
import { gradMode } from '../ops/tape.ts';
import type { Module } from '../nn/module.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Tree } from './tree.ts';
import type { Recompile } from './trace.ts';

interface Guard {
  readonly name: string;
  readonly value: string;
}

export interface Signature {
  readonly key: string;
  /** The part of it that decides values: two calls that share it and the modes have the same results. */
  readonly values: string;
  readonly guards: readonly Guard[];
}

/** Made at every call, so it is one string and no more: a tensor's form is a number that it knows. */
export function signatureKey(args: Tree, module: Module | undefined): string {
  return keyOf(args, module, (x) => x.form);
}

/** What a call computes on a device, but for modes, as long as the code does not ask whether gradients are wanted. */
export function valuesKey({ form, tensors }: Tree): string {
  const storages = tensors.map((x) => x.storage);
  const forms = tensors.map((x) => `${x.form}=${storages.indexOf(x.storage)}!${tensors.indexOf(x)}`);
  return [form, ...forms].join('|');
}

/** All that is guarded, with what `sizes` tells of each tensor's layout. */
export function keyOf(args: Tree, module: Module | undefined, sizes: (x: Tensor, position: number) => string | number): string {
  let key = args.form;
  const { tensors } = args;
  tensors.forEach((x, i) => {
    const { storage } = x;
    key += `|${storage.dtype}[${sizes(x, i)} ${storage.backend.info.name}${x.requiresGrad ? ' grad' : ''}`;
    for (let j = 0; j < i; j++) if (tensors[j]?.storage === storage) key += `=${j}${tensors[j] === x ? '!' : ''}`;
  });
  if (gradMode()) key += '|recording';
  return module ? `${key}|${modes(module).join()}` : key;
}

export function signatureOf(args: Tree, module: Module | undefined): Signature {
  const guards: Guard[] = [{ name: 'structure and plain values of the arguments', value: args.form }];
  const storages = args.tensors.map((x) => x.storage);
  args.tensors.forEach((x, i) => {
    guards.push({ name: `dtype of tensor ${i}`, value: x.dtype });
    guards.push({ name: `shape of tensor ${i}`, value: formatShape(x.shape) });
    guards.push({ name: `strides of tensor ${i}`, value: `${formatShape(x.strides)} from ${x.layout.offset}` });
    guards.push({ name: `memory of tensor ${i}`, value: `shared with tensor ${storages.indexOf(x.storage)}` });
    guards.push({ name: `identity of tensor ${i}`, value: `tensor ${args.tensors.indexOf(x)}` });
    guards.push({ name: `requiresGrad of tensor ${i}`, value: String(x.requiresGrad) });
    guards.push({ name: `device of tensor ${i}`, value: x.storage.backend.info.name });
  });
  guards.push({ name: 'recording for gradients', value: String(gradMode()) });
  if (module) guards.push({ name: 'training mode', value: modes(module).join(' ') });
  return { key: signatureKey(args, module), values: valuesKey(args), guards };
}

/** Training or not, for the module and all inside, in order. */
function modes(module: Module): string[] {
  return [module.training ? 'train' : 'eval', ...module.children().flatMap(modes)];
}

/** The first guard that failed, with both values. */
export function firstDifference(was: Signature, now: Signature): Recompile {
  const at = now.guards.findIndex((g, i) => g.value !== was.guards[i]?.value);
  const guard = now.guards[at];
  return { guard: guard?.name ?? 'number of tensors', was: was.guards[at]?.value ?? 'absent', now: guard?.value ?? 'absent' };
}
