/** @file Which files are JitLens's own, and not the user's. */
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** They lie under here: `runtime/` when run from source, `dist/` when built. */
const folder = dirname(fileURLToPath(import.meta.url)) + sep;

export function isOwn(path: string): boolean {
  return path.startsWith(folder);
}
