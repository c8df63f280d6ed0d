/**
 * @file `jitlens/esbuild`: a plugin for users' own builds, so that `jit.script` finds the source of their functions there too.
 * Each file's text goes into the bundle, and its functions stay there even when nobody calls them.
 */
import type { Plugin } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { isUsers, loaderOf, told } from './transform.ts';

export function jitlens(): Plugin {
  return {
    name: 'jitlens',
    setup(build) {
      build.onLoad({ filter: /\.m?[jt]s$/ }, async ({ path }) => {
        if (!isUsers(path)) return undefined;
        return { contents: told(await readFile(path, 'utf8'), path, basename(path)), loader: loaderOf(path) };
      });
    },
  };
}
