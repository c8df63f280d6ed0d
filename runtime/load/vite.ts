/** @file `jitlens/vite`: a plugin for users of Vite and Vitest, so that `jit.script` finds the source of their functions there too. */
import { instrument, type Instrumented } from './instrument.ts';
import { isUsers, loaderOf } from './transform.ts';

export interface VitePlugin {
  readonly name: string;
  readonly enforce: 'pre';
  transform(code: string, id: string): Instrumented | undefined;
}

export function jitlens(): VitePlugin {
  return {
    name: 'jitlens',
    enforce: 'pre',
    transform(code, id) {
      const path = id.replace(/[?#].*/s, '');
      return ['ts', 'js'].includes(loaderOf(path) ?? '') && isUsers(path) ? instrument(code, path) : undefined;
    },
  };
}
