/**
 * @file One file of the user's as Node runs it. In: its text and place. Out: JavaScript that tells where its functions were
 * written, with an inline source map, so that breakpoints and positions are those of the source.
 */
import { transform, type Loader } from 'esbuild';
import { extname, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isOwn } from '../own.ts';
import { instrument } from './instrument.ts';
import { compilerOptions } from './options.ts';

const LOADERS: Readonly<Record<string, Loader>> = { '.ts': 'ts', '.mts': 'ts', '.tsx': 'tsx', '.js': 'js', '.mjs': 'js' };

export function loaderOf(path: string): Loader | undefined {
  return LOADERS[extname(path)];
}

/** Whether it is the user's: not JitLens's, and not of a package. */
export function isUsers(path: string): boolean {
  return !isOwn(path) && !path.includes(`${sep}node_modules${sep}`);
}

/** A file that was compiled from another is not what was written, and has a map of its own. */
export function isCompiled(text: string): boolean {
  return /^\/\/# sourceMappingURL=/m.test(text);
}

/** With a source map as its last line, in which the file is called `source`; as it was where there is nothing to tell. */
export function told(text: string, path: string, source: string): string {
  if (loaderOf(path) === 'tsx' || !isUsers(path) || isCompiled(text)) return text;
  const instrumented = instrument(text, path, source);
  return instrumented ? `${instrumented.code}\n//# sourceMappingURL=${instrumented.map.toUrl()}` : text;
}

export async function runnable(text: string, path: string): Promise<string> {
  const url = pathToFileURL(path).href;
  const { code } = await transform(told(text, path, url), {
    ...compilerOptions(path),
    loader: loaderOf(path),
    format: 'esm',
    target: 'node20',
    sourcefile: url,
    sourcemap: 'inline',
    sourcesContent: false,
    keepNames: false,
  });
  return code;
}
