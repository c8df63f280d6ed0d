/**
 * @file A scratch workspace with the samples, laid out as a user's project: `import 'jitlens'` finds the package through
 * node_modules. In: an empty or missing folder. Out: the folder, filled.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './cache.mjs';

const manifest = { name: 'samples', private: true, type: 'module', dependencies: { jitlens: '*' } };
const compilerOptions = {
  target: 'ES2022',
  module: 'ESNext',
  moduleResolution: 'Bundler',
  strict: true,
  noEmit: true,
  experimentalDecorators: false,
  // The package is a link; its own sources are not the user's.
  preserveSymlinks: true,
  skipLibCheck: true,
};

export async function makeWorkspace(folder) {
  await mkdir(join(folder, 'node_modules'), { recursive: true });
  const samples = join(repository, 'extension', 'samples');
  if (existsSync(samples)) await cp(samples, folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await writeFile(join(folder, 'tsconfig.json'), `${JSON.stringify({ compilerOptions }, null, 2)}\n`);
  const link = join(folder, 'node_modules', 'jitlens');
  await rm(link, { recursive: true, force: true });
  await symlink(repository, link, 'junction');
  return folder;
}
