/** Installs what is missing and builds, so that every command works on a fresh clone. Usage: node scripts/setup.mjs [--types] */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))));
const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`JitLens needs Node 20 or later; this is ${process.version}.`);
  process.exit(1);
}

function npm(...command) {
  const args = [...command, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  return spawnSync('npm', args, { stdio: ['ignore', 2, 2], shell: process.platform === 'win32' }).status === 0;
}

const installed = 'node_modules/.package-lock.json';
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync('package-lock.json').mtimeMs) {
  console.error('Installing packages …');
  // A mirror may lag behind on packages for other platforms, which `ci` insists on and `install` does without.
  if (!npm('ci')) npm('install', '--no-save') || process.exit(1);
}
execFileSync(process.execPath, ['esbuild.mjs'], { stdio: ['ignore', 2, 2] });
// The editor underlines `import 'jitlens'` in users' files without these.
if (process.argv.includes('--types')) execFileSync(process.execPath, ['scripts/types.mjs'], { stdio: ['ignore', 2, 2] });
