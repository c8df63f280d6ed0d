/**
 * @file The TypeScript compiler, for analysis; everything that needs it imports it from here. It takes a third of a second to
 * load, so it is loaded when the first of its functions is asked for. Node kinds are written by name in tables (`'ForOfStatement'`).
 */
import { createRequire } from 'node:module';
import type TypeScript from 'typescript';
import { requireCompiled } from './compiled.ts';

export type { default as TS } from 'typescript';

/** A stand-in until it is first asked for something, then the compiler itself: a proxy in every call would cost a tenth of the time. */
export let ts: typeof TypeScript = new Proxy({} as typeof TypeScript, {
  get: (_, name) => Reflect.get(load(), name) as unknown,
});

function load(): typeof TypeScript {
  // A copy: what the module exports are getters, each of them a call.
  ts = { ...(requireCompiled(createRequire(import.meta.url).resolve('typescript')) as typeof TypeScript) };
  return ts;
}
