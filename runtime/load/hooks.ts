/**
 * @file Module hooks: users' TypeScript runs as it is. In: what Node asks to resolve and load. Out: files transformed one by
 * one with inline source maps, so that breakpoints and positions are those of the source; and one copy of `jitlens`.
 */
import { transform } from 'esbuild';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { LoadHook, ResolveHook } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const TYPESCRIPT = new Set(['.ts', '.mts', '.tsx']);
const library = new URL('./index.js', import.meta.url).href;

export const resolve: ResolveHook = (specifier, context, next) => {
  if (specifier === 'jitlens') return { url: library, shortCircuit: true };
  if (context.parentURL?.startsWith('file:') && /^\.{0,2}\//.test(specifier)) {
    const found = typescriptFile(fileURLToPath(new URL(specifier, context.parentURL)));
    if (found) return { url: pathToFileURL(found).href, shortCircuit: true };
  }
  return next(specifier, context);
};

/** The TypeScript file that an import means: as written, with its ending left out, or with the one it will have. */
function typescriptFile(path: string): string | undefined {
  const candidates = [path, `${path}.ts`, `${path}.tsx`, path.replace(/\.(m?)js$/, '.$1ts'), `${path}/index.ts`];
  return candidates.find((c) => TYPESCRIPT.has(extname(c)) && existsSync(c) && statSync(c).isFile());
}

export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith('file:') || !TYPESCRIPT.has(extname(fileURLToPath(url)))) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = await transform(await readFile(path, 'utf8'), {
    loader: path.endsWith('x') ? 'tsx' : 'ts',
    format: 'esm',
    target: 'node20',
    sourcefile: url,
    sourcemap: 'inline',
    sourcesContent: false,
    keepNames: false,
  });
  return { format: 'module', source: code, shortCircuit: true };
};
