/** Builds everything into dist/. Usage: node esbuild.mjs [--watch] [--production]. Types are checked apart, by `npm run check`. */
import { build, context } from 'esbuild';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const common = {
  bundle: true,
  sourcemap: production ? false : 'linked',
  minify: production,
  logLevel: watch ? 'info' : 'warning',
  legalComments: 'external',
};

/** The library, the command line and the runner share chunks, so that a user's `import 'jitlens'` meets one copy. */
const node = {
  ...common,
  entryPoints: {
    index: 'runtime/index.ts',
    cli: 'runtime/cli/main.ts',
    runner: 'runtime/host/runner.ts',
    watchdog: 'runtime/host/watchdog.ts',
    analyser: 'runtime/host/analyser.ts',
    register: 'runtime/load/register.ts',
    hooks: 'runtime/load/hooks.ts',
    'esbuild-plugin': 'runtime/load/esbuild.ts',
    'vite-plugin': 'runtime/load/vite.ts',
    ...(production
      ? {}
      : { bench: 'test/bench/main.ts', 'bench-compile': 'test/bench/compile.ts', 'bench-ops': 'test/bench/ops.ts' }),
  },
  outdir: 'dist',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  splitting: true,
  chunkNames: 'chunk-[hash]',
  external: ['webgpu', 'esbuild', 'typescript'],
  alias: { jitlens: './runtime/index.ts' },
  // Names of classes and functions reach reports and error messages.
  keepNames: true,
  minify: false,
};

const extension = {
  ...common,
  entryPoints: { extension: 'extension/main.ts' },
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
};

const webview = {
  ...common,
  entryPoints: { main: 'webview/main.tsx', 'layout-worker': 'webview/graph/layout.worker.ts' },
  outdir: 'dist/webview',
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
};

await mkdir('dist', { recursive: true });
const softwareGpu = 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br';
if (existsSync(softwareGpu)) await cp(softwareGpu, 'dist/swiftshader.tar.br');

for (const options of [node, extension, webview]) {
  if (watch) await (await context(options)).watch();
  else await removeStale(await build({ ...options, metafile: true }), options);
}

/** Chunks are named after their contents; those of earlier builds would be shipped. */
async function removeStale({ metafile }, { outdir, splitting }) {
  if (!splitting) return;
  for (const name of await readdir(outdir)) {
    if (/^chunk-.*\.js(\.map)?$/.test(name) && !(`${outdir}/${name}` in metafile.outputs))
      await rm(`${outdir}/${name}`, { force: true });
  }
}
