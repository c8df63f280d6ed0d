/**
 * Bundles the runtime's tests into dist/device/tests/run.js, to be run by Node alone where there is a GPU: `node
 * dist/device/tests/run.js [PART OF A NAME …]`. It needs node_modules/webgpu beside it, and brings the TypeScript compiler. Usage: node scripts/device-tests.mjs
 */
import { build } from 'esbuild';
import { cpSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { jitlens } from '../dist/esbuild-plugin.js';

// Tests that start processes, ask the TypeScript compiler, look for the user's lines or keep files say nothing about a device.
const leftOut =
  /cli\/|host\/|load\/|runtime\/(cache|declarations)|code-hash|jit\/(kept|trials)|device\/(nap|software)|ops\/types\.test|passes\/pipeline|script\/(rules|analyse|quick|check-trace|sample|compiled)/;
const files = ['test/runtime', 'test/fuzz']
  .flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name).replaceAll('\\', '/')))
  .filter((name) => name.endsWith('.test.ts') && !leftOut.test(name))
  .sort();

const shim = resolve('test/device/vitest.ts');
const entry = [
  `import { file, run } from ${JSON.stringify(shim)};`,
  ...files.map((name) => `file(${JSON.stringify(name)}); await import(${JSON.stringify(resolve(name))});`),
  'process.exit((await run(process.argv.slice(2))) > 0 ? 1 : 0);',
].join('\n');

// Where the bundle finds them by the tests' own relative path.
cpSync('test/goldens', 'dist/goldens', { recursive: true });
// And where it finds the compiler, which scripting needs.
const compiler = join('node_modules', 'typescript');
const wanted = /^(typescript\.js|lib.*\.d\.ts)$/;
for (const name of [
  'package.json',
  ...readdirSync(join(compiler, 'lib'))
    .filter((n) => wanted.test(n))
    .map((n) => join('lib', n)),
])
  cpSync(join(compiler, name), join('dist/device', compiler, name));
await build({
  stdin: { contents: entry, resolveDir: '.', loader: 'ts' },
  outfile: 'dist/device/tests/run.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  external: ['webgpu', 'esbuild', 'typescript'],
  plugins: [jitlens()],
  alias: { jitlens: resolve('runtime/index.ts'), vitest: shim },
  banner: {
    js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
  },
  keepNames: true,
  logLevel: 'warning',
});
