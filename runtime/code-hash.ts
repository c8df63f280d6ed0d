/**
 * @file Which code this is. In: nothing. Out: a hash of the library's own files, as they are now, so that what one version
 * kept is never used by another; undefined where the library is a part of somebody's bundle and cannot tell its own files.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let known: { readonly hash: string | undefined } | undefined;

export function codeHash(): string | undefined {
  return (known ??= { hash: hashBeside(fileURLToPath(import.meta.url)) }).hash;
}

/** `file` is one of the library's: a source file in `runtime/`, or a bundle in `dist/`. */
export function hashBeside(file: string): string | undefined {
  const folder = dirname(file);
  const manifest = join(folder, '../package.json');
  if (!existsSync(manifest)) return undefined;
  const text = readFileSync(manifest);
  if ((JSON.parse(text.toString()) as { name?: unknown }).name !== 'jitlens') return undefined;
  const kind = extname(file);
  const files = readdirSync(folder, { recursive: kind === '.ts', encoding: 'utf8' }).filter((name) => extname(name) === kind);
  const hash = createHash('sha256').update(text);
  for (const name of files.sort()) hash.update(`\n${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex');
}
