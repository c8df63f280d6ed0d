/**
 * @file Module hooks: users' TypeScript runs as it is. In: what Node asks to resolve and load. Out: files transformed one by
 * one, which tell where their functions were written; and one copy of `jitlens`. Runs in a thread of its own.
 */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin, type LoadHook, type ResolveHook } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ts } from '../script/typescript.ts';
import { aliased } from './options.ts';
import { isCompiled, isUsers, loaderOf, runnable } from './transform.ts';

const TYPESCRIPT = new Set(['.ts', '.mts', '.tsx']);
const library = new URL('./index.js', import.meta.url).href;

export const resolve: ResolveHook = (specifier, context, next) => {
  if (specifier === 'jitlens') return { url: library, shortCircuit: true };
  if (context.parentURL?.startsWith('file:') && /^\.{0,2}\//.test(specifier)) {
    const found = typescriptFile(fileURLToPath(new URL(specifier, context.parentURL)));
    if (found) return { url: pathToFileURL(found).href, shortCircuit: true };
  }
  const importer = context.parentURL?.startsWith('file:') ? fileURLToPath(context.parentURL) : undefined;
  if (importer !== undefined && loaderOf(importer) && isUsers(importer) && mayBeAlias(specifier)) {
    const found = aliased(specifier, importer);
    if (found !== undefined) return { url: pathToFileURL(found).href, shortCircuit: true };
  }
  return next(specifier, context);
};

/** Neither a path nor a URL, nor a module of Node's. */
function mayBeAlias(specifier: string): boolean {
  return !/^(\.{0,2}\/|\.{1,2}$|[a-z][a-z+.-]+:)/i.test(specifier) && !isBuiltin(specifier);
}

/** The TypeScript file that an import means: as written, with its ending left out, or with the one it will have. */
function typescriptFile(path: string): string | undefined {
  const candidates = [path, `${path}.ts`, `${path}.tsx`, path.replace(/\.(m?)js$/, '.$1ts'), `${path}/index.ts`];
  return candidates.find((c) => TYPESCRIPT.has(extname(c)) && existsSync(c) && statSync(c).isFile());
}

export const load: LoadHook = async (url, context, next) => {
  const path = url.startsWith('file:') ? fileURLToPath(url) : '';
  if (TYPESCRIPT.has(extname(path))) return ready(await runnable(await readFile(path, 'utf8'), path));
  const loaded = await next(url, context);
  const { format, source } = loaded;
  if (format !== 'module' || !source || !loaderOf(path) || !isUsers(path)) return loaded;
  const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString();
  return isCompiled(text) ? loaded : ready(await runnable(text, path));
};

function ready(source: string): ReturnType<LoadHook> {
  return { format: 'module', source, shortCircuit: true };
}

// It takes longer to load than all else at the start of a program, which meanwhile opens its device.
setTimeout(() => ts.version);
