/**
 * @file Makes the VSIX for this platform from what is built in dist/. Of the native packages only this platform's part
 * goes in. In: `[FILE.vsix]`. Out: that file, or `jitlens-<platform>.vsix` in the repository.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createVSIX } from '@vscode/vsce';
import { repository } from './cache.mjs';
import { run } from './vscode.mjs';

const target = `${process.platform}-${process.arch}`;

/** Packs dist/ into `file`, quietly: vsce prints every file. */
export async function packageVsix(file) {
  await run(process.execPath, [fileURLToPath(import.meta.url), file], repository);
}

async function pack(file) {
  for (const needed of ['extension.cjs', 'runner.js', 'analyser.js', 'types/runtime/index.d.ts', 'webview/main.js']) {
    if (!existsSync(join(repository, 'dist', needed))) throw new Error(`dist/${needed} is missing: run \`npm run build\` first.`);
  }
  const scratch = await mkdtemp(join(tmpdir(), 'jitlens-vsix-'));
  try {
    const ignoreFile = join(scratch, 'ignore');
    await writeFile(ignoreFile, (await readFile(join(repository, '.vscodeignore'), 'utf8')) + platformFiles());
    await createVSIX({
      cwd: repository,
      packagePath: file,
      target,
      ignoreFile,
      rewriteRelativeLinks: false,
      allowMissingRepository: true,
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** webgpu brings a folder for every platform. */
function platformFiles() {
  const folder = process.platform === 'darwin' ? 'darwin-universal' : target;
  return `\n!node_modules/webgpu/dist/${folder}/**\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = resolve(process.argv[2] ?? join(repository, `jitlens-${target}.vsix`));
  await pack(file);
}
