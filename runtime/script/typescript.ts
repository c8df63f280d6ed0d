/**
 * @file The TypeScript compiler, for analysis; everything that needs it imports it from here. It takes a third of a second to
 * load, so it is loaded when the first of its functions is asked for. Node kinds are written by name in tables (`'ForOfStatement'`).
 */
import { createRequire } from 'node:module';
import type TypeScript from 'typescript';

export type { default as TS } from 'typescript';

let loaded: typeof TypeScript | undefined;

function load(): typeof TypeScript {
  return (loaded ??= createRequire(import.meta.url)('typescript') as typeof TypeScript);
}

export const ts: typeof TypeScript = new Proxy({} as typeof TypeScript, {
  get: (_, name) => Reflect.get(load(), name) as unknown,
});
