/**
 * @file What of JitLens compiled code may call. In: functions and modules. Out: whether they are JitLens's own: these are run, and
 * their ops recorded, instead of being looked at.
 */
import * as autograd from '../autograd/index.ts';
import * as memory from '../memory.ts';
import * as nn from '../nn/index.ts';
import { einsum } from '../ops/einsum.ts';
import * as join from '../ops/join.ts';
import { methods } from '../ops/table.ts';
import { manualSeed } from '../ops/random.ts';
import * as create from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';

/** By the names that users import them under. */
export const library: Readonly<Record<string, unknown>> = {
  ...create,
  ...join,
  ...memory,
  ...autograd,
  einsum,
  manualSeed,
  nn,
  Tensor,
};

const exported = [...Object.values(library), ...Object.values(methods), ...Object.values(nn), ...Object.values(nn.init)];

/** With the classes that exported ones inherit from. */
const functions = new Set<unknown>(exported.flatMap((x) => (typeof x === 'function' ? ancestry(x) : [])));

function ancestry(of: object): object[] {
  const parent: unknown = Object.getPrototypeOf(of);
  return [of, ...(typeof parent === 'function' && parent !== Function.prototype ? ancestry(parent) : [])];
}

export function isLibraryFunction(fn: unknown): boolean {
  return functions.has(fn);
}

/** The function is a method that a class of JitLens gives to `self`, or one of a tensor. */
export function isLibraryMethod(self: unknown, fn: unknown): boolean {
  for (let at: unknown = self; typeof at === 'object' && at !== null; at = Object.getPrototypeOf(at)) {
    const own = Object.getOwnPropertyNames(at).some((name) => Object.getOwnPropertyDescriptor(at, name)?.value === fn);
    if (own) return at === Tensor.prototype || functions.has(at.constructor);
  }
  return false;
}
