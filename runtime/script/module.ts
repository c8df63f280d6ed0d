/** @file ScriptModule and `@jit.scriptMethod`: the two lines that make a module's methods compiled ones. */
import type { AnyFunction } from '../jit/trace.ts';
import { Module } from '../nn/module.ts';
import { standsFor } from './marks.ts';
import { ScriptCache, targetOf, type ScriptInfo } from './script.ts';

/** A module whose methods marked `@jit.scriptMethod` are compiled, with their control flow, when they are first called. */
export abstract class ScriptModule extends Module {}

const caches = new WeakMap<object, Map<AnyFunction, ScriptCache>>();

function cacheOf(self: object, method: AnyFunction): ScriptCache {
  const known = caches.get(self) ?? new Map<AnyFunction, ScriptCache>();
  caches.set(self, known);
  const cache = known.get(method) ?? new ScriptCache(method, self, targetOf(method, self));
  known.set(method, cache);
  return cache;
}

function compiled<F extends AnyFunction>(method: F): F {
  const wrapper = function (this: object, ...args: never[]): unknown {
    return cacheOf(this, method).call(args);
  };
  Object.defineProperty(wrapper, 'name', { value: method.name });
  standsFor(wrapper, method);
  return wrapper as unknown as F;
}

interface ScriptMethod {
  <F extends AnyFunction>(method: F, context: ClassMethodDecoratorContext): F;
  (prototype: object, key: string | symbol, descriptor: PropertyDescriptor): void;
}

/** Compiles the method it stands before. Errors come when it is first called: those of TensorScript, with their places. */
export const scriptMethod: ScriptMethod = ((
  target: AnyFunction,
  _where: unknown,
  descriptor?: PropertyDescriptor,
): AnyFunction | undefined => {
  if (!descriptor) return compiled(target);
  descriptor.value = compiled(descriptor.value as AnyFunction);
  return undefined;
}) as ScriptMethod;

/** What was compiled for a method of a module so far; undefined before its first call. */
export function infoOf(module: Module, method: string): ScriptInfo | undefined {
  const fn: unknown = Reflect.get(module, method);
  return [...(caches.get(module)?.values() ?? [])].find((cache) => cache.stands(fn));
}
