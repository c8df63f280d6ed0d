/**
 * @file V8's compiled code of the TypeScript compiler, kept between processes. In: the compiler's file. Out: its exports, in a third
 * of the time where a process before kept the code. Only the analyser and the command line keep it; V8 drops what it did not make itself.
 */
import { readFileSync, statSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, Script } from 'node:vm';
import { createHash } from 'node:crypto';
import { keep, keptFolder, readKept } from '../cache.ts';

let fresh: { readonly script: Script; readonly kept: string } | undefined;

/** What `require` gives for a file that has no other modules of its own. */
export function requireCompiled(file: string): unknown {
  const require = createRequire(file);
  const kept = placeFor(file);
  if (kept === undefined) return require(file) as unknown;
  const cachedData = readKept(kept);
  const script = new Script(Module.wrap(readFileSync(file, 'utf8')), { filename: file, cachedData });
  if (!cachedData || script.cachedDataRejected) fresh = { script, kept };
  const module = { exports: {} as unknown };
  const run = script.runInThisContext() as (...values: unknown[]) => void;
  run.call(module.exports, module.exports, require, module, file, dirname(file));
  return module.exports;
}

/** Keeps the code with all that has been compiled by now, for the next process. */
export function keepCompiled(): void {
  if (!fresh) return;
  const { script, kept } = fresh;
  fresh = undefined;
  keep(kept, script.createCachedData());
}

/** Collects what is young: with an empty nursery the next answer need not stop for it. */
export function sweep(): void {
  (collect ??= collector())({ type: 'minor' });
}

let collect: ((options: { readonly type: 'minor' }) => void) | undefined;

function collector(): NonNullable<typeof collect> {
  // Node gives it to those only who ask for it before they start; a new context has what V8 exposes by then.
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as NonNullable<typeof collect>;
}

function placeFor(file: string): string | undefined {
  // Users turn it off as they do for Node's own; breakpoints and coverage want Node's loader too.
  if (process.env['NODE_DISABLE_COMPILE_CACHE'] !== undefined || process.env['NODE_V8_COVERAGE'] !== undefined) return undefined;
  const folder = keptFolder('compiled');
  if (folder === undefined) return undefined;
  const { size, mtimeMs } = statSync(file);
  const key = [file, size, mtimeMs, process.version, process.versions.v8, process.arch].join('\n');
  return join(folder, createHash('sha256').update(key).digest('hex').slice(0, 32));
}
