/** Users' files as Node and their own builds run them: lines and columns stay those of the source, and functions are found. */
import { build as bundle } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { jitlens } from '../../../runtime/load/esbuild.ts';
import { jitlens as forVite } from '../../../runtime/load/vite.ts';
import { sourceOf } from '../../../runtime/script/sources.ts';
import { build, placeIn, Workspace } from '../support/cli.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const space = new Workspace();
beforeAll(build);

function node(file: string): { stdout: string; stderr: string } {
  const register = pathToFileURL(join(root, 'dist/register.js')).href;
  return spawnSync(process.execPath, ['--import', register, file], { cwd: space.folder, encoding: 'utf8' });
}

const lookUp = `
const look = (f: object) => (globalThis as any)[Symbol.for('jitlens.sources')].get(f);
const show = (f: object) => { const { file, text, start, end, names } = look(f); console.log(JSON.stringify([file, text.slice(start, end), { ...names }])); };
`;

describe('node --import jitlens/register', () => {
  test('tells where functions of TypeScript and JavaScript were written', () => {
    const helper = space.file('helper.mjs', 'const two = 2;\nexport function twice(x) { return two * x; }\n');
    const file = space.file(
      'main.ts',
      `import { twice } from './helper.mjs';${lookUp}show((x: number) => twice(x)); show(twice);`,
    );
    const { stdout, stderr } = node(file);
    expect(stderr).toBe('');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      [file, '(x: number) => twice(x)', {}],
      [helper, 'export function twice(x) { return two * x; }', { two: 2 }],
    ]);
  });

  test('leaves packages alone, and what was compiled from something else', () => {
    const folder = join(space.folder, 'node_modules/other');
    mkdirSync(folder, { recursive: true });
    space.file('node_modules/other/package.json', '{ "type": "module", "exports": "./index.js" }');
    space.file('node_modules/other/index.js', 'export const f = () => 1;');
    space.file('compiled.mjs', 'export const g = () => 1;\n//# sourceMappingURL=compiled.mjs.map\n');
    const file = space.file(
      'uses.ts',
      `import { f } from 'other'; import { g } from './compiled.mjs';${lookUp}console.log(look(f), look(g), look(look).file);`,
    );
    expect(node(file)).toMatchObject({ stdout: `undefined undefined ${file}\n`, stderr: '' });
  });

  const throwing = (thrown: string) => `interface Unused { readonly gone: number }
export default function (x: number): number { return inner(x, (y: number) => { /* é */ ${thrown} }); }
function inner(x: number, f: (y: number) => number): number { const g = (z: number): number => f(z) + 1; return g(x); }
class Deep { #run = (x: number): number => inner(x, (y) => this.#end(y)); #end(y: number): number { return outer(y); } go(): number { return this.#run(1); } }
`;

  test('keeps lines and columns of a stack', () => {
    const thrower = throwing("throw new Error('thrown')");
    const called = space.file('thrower.ts', thrower);
    const main = `import outer from './thrower.ts';\n${throwing('return 0;').replace('export default function', 'function unused')}\ntry { new Deep().go(); } catch (e) { console.log((e as Error).stack); }`;
    const file = space.file('stack.ts', main);
    const at = (path: string, text: string, part: string) => {
      const { line, column } = placeIn(text, part);
      return `${path}:${line}:${column}`;
    };
    const places = [...node(file).stdout.matchAll(/\(?([^\s()]+\.ts:\d+:\d+)\)?$/gm)].map((match) => match[1]);
    expect(places).toEqual([
      at(called, thrower, 'new Error'),
      at(called, thrower, 'f(z) + 1'),
      at(called, thrower, 'g(x); }'),
      at(called, thrower, 'inner(x, (y'),
      at(file, main, 'outer(y)'),
      at(file, main, '#end(y));'),
      at(file, main, 'f(z) + 1'),
      at(file, main, 'g(x); }'),
      at(file, main, 'inner(x, (y) => this'),
      at(file, main, '#run(1)'),
    ]);
  });

  test('takes decorators and fields as the user’s tsconfig has them', () => {
    const decorated = `function d(...all: unknown[]) { console.log(typeof all[1]); }
class Base { constructor() { this.init(); } init() {} }
class A extends Base { x?: number; init() { this.x = 1; } @d f() {} }
console.log(new A().x);`;
    const file = space.file('decorated.ts', decorated);
    expect(node(file)).toMatchObject({ stdout: 'object\nundefined\n', stderr: '' });
    mkdirSync(join(space.folder, 'older'));
    space.file('older/base.json', '{ "compilerOptions": { "experimentalDecorators": true } }');
    space.file('older/tsconfig.json', '{ "extends": "./base.json", "compilerOptions": { /* old */ "target": "ES2020" } }');
    expect(node(space.file('older/decorated.ts', decorated))).toMatchObject({ stdout: 'string\n1\n', stderr: '' });
  });

  test('finds what path aliases of the user’s tsconfig mean', () => {
    for (const folder of ['aliases/src/layers', 'aliases/lib', 'aliases/node_modules/pkg'])
      mkdirSync(join(space.folder, folder), { recursive: true });
    space.file('aliases/base.json', '{ "compilerOptions": { "paths": { "@/*": ["./src/*"], "exact": ["./lib/exact.mjs"] } } }');
    space.file('aliases/tsconfig.json', '{ "extends": "./base.json" /* the aliases */ }');
    space.file('aliases/src/layers/index.ts', "import { k } from '@/k'; export const f = (x: number): number => x * k;");
    space.file('aliases/src/k.ts', 'export const k = 3;');
    space.file('aliases/lib/exact.mjs', "export { default as exact } from 'pkg';");
    space.file('aliases/node_modules/pkg/package.json', '{ "type": "module", "exports": "./index.js" }');
    space.file('aliases/node_modules/pkg/index.js', "export default 'from the package';");
    const main = `import { sep } from 'path'; import { f } from '@/layers'; import { exact } from 'exact';${lookUp}show(f); console.log(f(2), exact, sep.length);`;
    const file = space.file('aliases/src/main.ts', main);
    const { stdout, stderr } = node(file);
    expect(stderr).toBe('');
    const [told, values] = stdout.split('\n');
    const layers = join(space.folder, 'aliases/src/layers/index.ts');
    expect(JSON.parse(told ?? '')).toEqual([layers, '(x: number): number => x * k', { k: 3 }]);
    expect(values).toBe('6 from the package 1');
    expect(node(space.file('aliases/src/missing.ts', "import '@/absent';")).stderr).toContain("'@/absent'");
  });

  test('finds modules from the baseUrl of the user’s tsconfig', () => {
    mkdirSync(join(space.folder, 'based/inner'), { recursive: true });
    space.file('based/tsconfig.json', '{ "compilerOptions": { "baseUrl": "." } }');
    space.file('based/inner/k.ts', 'export const k = 5;');
    expect(node(space.file('based/main.ts', "import { k } from 'inner/k'; console.log(k);"))).toMatchObject({ stdout: '5\n' });
  });

  test('says where a file cannot be parsed', () => {
    const file = space.file('broken.ts', 'const f = () => 1;\nconst g = (;\n');
    expect(node(file).stderr).toContain('broken.ts:2:11: ERROR');
  });
});

describe('plugins', () => {
  const text =
    'const k = 3;\nexport const f = (x: number): number => {\n  if (x > 1) throw new Error("big");\n  return x * k;\n};\n';

  test('for esbuild: a bundle tells too, and maps back to the source', async () => {
    const file = space.file('bundled.ts', text);
    const outfile = join(space.folder, 'bundle.mjs');
    await bundle({
      entryPoints: [file],
      bundle: true,
      format: 'esm',
      outfile,
      sourcemap: 'inline',
      minify: true,
      plugins: [jitlens()],
    });
    const { f } = (await import(pathToFileURL(outfile).href)) as { f: (x: number) => number };
    expect(f(1)).toBe(3);
    expect(sourceOf(f)).toMatchObject({ file, text, names: { k: 3 } });
    const script = space.file('run.mjs', "import { f } from './bundle.mjs'; try { f(2) } catch (e) { console.log(e.stack) }");
    const { stdout } = spawnSync(process.execPath, ['--enable-source-maps', script], { encoding: 'utf8' });
    expect(stdout).toContain('bundled.ts:3:20');
  });

  test('for Vite: these tests tell too', () => {
    const f = (x: number) => x + text.length;
    const source = sourceOf(f);
    expect(source?.file).toBe(fileURLToPath(import.meta.url));
    expect(source?.text.slice(source.start, source.end)).toBe('(x: number) => x + text.length');
    expect(forVite().transform('export const f = () => 1', join(root, 'node_modules/x/index.js'))).toBeUndefined();
  });
});
