/** The analyser on projects: what is looked at, calls across files, suppression, unsaved texts; on temporary folders. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { Analyser } from '../../../runtime/script/analyse.ts';
import type { FileReport } from '../../../runtime/profile/diagnostic.ts';

const entry = fileURLToPath(new URL('../../../runtime/index.ts', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'jitlens-script-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** A project of these files; gives what is found in each, by name. */
function project(files: Readonly<Record<string, string>>) {
  const root = join(folder, String(++count));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  const analyser = new Analyser({ entry });
  const path = (name: string) => join(root, name);
  return { analyser, path, check: (name: string) => analyser.check(path(name)) };
}

const codes = ({ diagnostics }: FileReport) =>
  diagnostics.filter((d) => d.severity !== 'hint').map((d) => `${d.code}:${d.range.start.line}`);

test('a function is scripted through calls from another file, and the callers are named, the nearest first', () => {
  const { analyser, path, check } = project({
    'tsconfig.json':
      '{ "compilerOptions": { "strict": true, "module": "esnext", "moduleResolution": "bundler", "paths": { "@/*": ["./lib/*"] } } }',
    'lib/sum.ts': `import type { Tensor } from 'jitlens';
export function sum(x: Tensor, ns: number[]): Tensor {
  let z = x;
  for (const n of ns) z = z.add(n);
  return z;
}
export function other(x: Tensor, ns: number[]): Tensor {
  let z = x;
  for (const n of ns) z = z.add(n);
  return z;
}
`,
    'middle.ts': `import { sum as total } from '@/sum';
import type { Tensor } from 'jitlens';
export const middle = (x: Tensor): Tensor => total(x, [1]);
`,
    'main.ts': `import * as J from 'jitlens';
import { middle } from './middle';
export const f = J.jit.script((x: J.Tensor) => middle(x));
`,
  });
  const report = check('lib/sum.ts');
  expect(codes(report)).toEqual(['JL203:4']);
  expect(report.diagnostics[0]?.related.map((r) => [r.message, r.range.file, r.range.start.line])).toEqual([
    ['called from ‘middle’', path('middle.ts'), 3],
    ['called from ‘f’', path('main.ts'), 3],
  ]);
  expect(report.functions.map((f) => [f.name, f.scripted, f.obstacles.map((d) => d.code)])).toEqual([
    ['sum', true, ['JL203']],
    ['other', false, ['JL203']],
  ]);
  // The last caller goes, unsaved.
  analyser.update(path('main.ts'), 'export {};\n');
  expect(codes(check('lib/sum.ts'))).toEqual([]);
  analyser.update(path('main.ts'), undefined);
  expect(codes(check('lib/sum.ts'))).toEqual(['JL203:4']);
});

test('the same words that mean something else are nobody’s business', () => {
  const { check } = project({
    'other.ts': `class Tensor { add(x: Tensor): Tensor { return x; } }
const jit = { script: <F>(f: F): F => f };
export const f = jit.script((a: Tensor, ns: number[]) => { for (const n of ns) if (a) console.log(n, !a, a === a); return a; });
`,
    'near.ts': `import { tensor } from 'jitlens';
export const one = tensor(1);
class Tensor { value = 1; }
export const truth = (t: Tensor) => (t ? 1 : 2);
`,
  });
  expect(check('other.ts')).toMatchObject({ diagnostics: [], functions: [] });
  expect(check('near.ts')).toMatchObject({ diagnostics: [], functions: [] });
});

test('eager code: tensors in conditions and operators, everywhere else nothing', () => {
  const { check } = project({
    'eager.ts': `import { rand, type Tensor } from 'jitlens';
export function train(xs: Tensor[]): number {
  let n = 0;
  for (const x of xs) if (x.gt(0)) n++;
  try { return n + xs.length * Math.random(); } finally { console.log(xs); }
}
const t = rand([1]);
export const u = t * 2;
`,
  });
  const report = check('eager.ts');
  expect(codes(report)).toEqual(['JL209:4', 'JL401:8']);
  expect(report.functions).toMatchObject([{ name: 'train', scripted: false }]);
  expect(report.functions[0]?.obstacles.map((d) => d.code)).toEqual(['JL203', 'JL209', 'JL216', 'JL308']);
});

test('classes: decorated methods, forward of a ScriptModule and what it calls; not what is unused or ignored', () => {
  const { check } = project({
    'model.ts': `import { jit, nn, type Tensor } from 'jitlens';
const loop = (x: Tensor, ns: number[]) => { for (const n of ns) x.add(n); return x; };
export class A extends jit.ScriptModule {
  forward(x: Tensor): Tensor { return this.helper(x); }
  helper(x: Tensor): Tensor { return loop(x, [1]); }
  free(x: Tensor): Tensor { for (const n of [1]) x.add(n); return x; }
  @jit.export exported(x: Tensor): Tensor { for (const n of [1]) x.add(n); return x; }
  @jit.unused unused(x: Tensor): Tensor { for (const n of [1]) x.add(n); return x; }
}
export class B extends nn.Module {
  @jit.scriptMethod forward(x: Tensor): Tensor { for (const n of [1]) x.add(n); return x; }
}
export class C extends nn.Module {
  constructor() { super(); for (const n of [1]) console.log(n); }
  forward(x: Tensor): Tensor { for (const n of [1]) x.add(n); return x; }
}
export const c = jit.script(new C());
`,
  });
  const report = check('model.ts');
  expect(codes(report)).toEqual(['JL203:2', 'JL203:7', 'JL203:11', 'JL203:15']);
  expect(report.functions.map((f) => [f.name, f.scripted])).toEqual([
    ['loop', true],
    ['A.forward', true],
    ['A.helper', true],
    ['A.free', false],
    ['A.exported', true],
    ['B.forward', true],
    ['C.forward', true],
  ]);
});

test('suppression wants a reason and a known rule, and says when it is of no use', () => {
  const { check } = project({
    'a.ts': `import { jit, type Tensor } from 'jitlens';
export const f = jit.script((x: Tensor, ns: number[]) => {
  let z = x;
  // jitlens-ignore JL203: the list is made right above
  for (const n of ns) z = z.add(n);
  for (const n of ns) z = z.add(n); // jitlens-ignore JL203: here too
  // jitlens-ignore JL203
  for (const n of ns) z = z.add(n);
  // jitlens-ignore JL999: no such rule
  z = z.add(1);
  // jitlens-ignore JL216: nothing to ignore
  z = z.add(1); // jitlens-ignore JL612: what a run finds is not known here
  return z.mul(' // jitlens-ignore JL203'.length);
});
`,
  });
  expect(check('a.ts').diagnostics.map((d) => `${d.severity} ${d.code}:${d.range.start.line}`)).toEqual([
    'warning JLR-IGNORE:7',
    'error JL203:8',
    'warning JLR-IGNORE:9',
    'hint JLR-IGNORE:11',
  ]);
});

test('JavaScript with JSDoc, unsaved text, syntax errors and .tsx', () => {
  const { analyser, path, check } = project({
    'a.js': `import { jit } from 'jitlens';
/** @param {import('jitlens').Tensor} x @param {number[]} ns */
function f(x, ns) { for (const n of ns) x.add(n); return x; }
export const g = jit.script(f);
`,
    'b.ts': 'export const a = ;\nconst b = (;\n',
    'c.tsx': "import { tensor } from 'jitlens';\nexport const t = !tensor(1);\n",
  });
  expect(codes(check('a.js'))).toEqual(['JL203:3']);
  expect(codes(check('b.ts'))).toEqual(['JLR-SYNTAX:1']);
  expect(codes(check('c.tsx'))).toEqual([]);
  analyser.update(path('b.ts'), "import { tensor } from 'jitlens';\nexport const t = -tensor(1);\n");
  expect(codes(check('b.ts'))).toEqual(['JL401:2']);
});

test('a broken tsconfig is said once, and the files are looked at all the same', () => {
  const { analyser, check } = project({
    'tsconfig.json': '{ "compilerOptions": { "strict": ',
    'a.ts': "import { tensor } from 'jitlens';\nexport const t = -tensor(1);\n",
  });
  expect(codes(check('a.ts'))).toEqual(['JL401:2']);
  expect(analyser.problems().length).toBeGreaterThan(0);
  expect(analyser.problems()[0]).toContain('tsconfig.json: ');
});

test('what may be missing may be asked for, whatever the user’s settings', () => {
  const source = `import { rand, type Tensor } from 'jitlens';
export class Cache {
  private kept: Tensor = null as never;
  get(list: Tensor[], map: Record<string, Tensor>, x: Tensor): Tensor {
    if (this.kept) return this.kept;
    const [first] = list;
    if (first) return first;
    if (map.a) return map.a;
    if (x) return x;
    return rand([1]) || x;
  }
}
`;
  const { check } = project({ 'tsconfig.json': '{ "compilerOptions": { "strict": false } }', 'a.ts': source });
  expect(codes(check('a.ts'))).toEqual(['JL209:10']);
});

test('traced functions: what a trace would bake is a warning', () => {
  const { check } = project({
    'a.ts': `import { jit, nn, rand, type Tensor } from 'jitlens';
let k = 2;
export const set = (v: number) => { k = v; };
class M extends nn.Module {
  forward(x: Tensor): Tensor {
    console.log('shape', x.shape);
    let z = x.mul(Math.random()).mul(k);
    for (const row of x.unbind()) z = z.add(row);
    if (x.size(0) > 2) z = z.neg();
    for (const n of [1, 2]) z = z.add(n);
    return z;
  }
}
export const m = jit.example(() => new M(), () => [rand([2])]);
`,
  });
  const { diagnostics } = check('a.ts');
  expect(diagnostics.map((d) => `${d.severity} ${d.code}:${d.range.start.line}`)).toEqual([
    'warning JL310:6',
    'warning JL308:7',
    'warning JL302:7',
    'warning JL405:8',
    'warning JL404:9',
  ]);
});

test('after a keystroke in a function, that function alone is looked at; what it gives others is seen by them', () => {
  const text = (body: string, before = '') => `import { jit, type Tensor } from 'jitlens';
let k = 2;
const ns = [1, 2];
export function set(v: number) { k = v; }
${before}function edited(x: Tensor, n: number) {
  ${body}
}
export function loop(x: Tensor): Tensor {
  let z = edited(x, 1);
  for (const n of ns) z = z.add(n);
  return z.mul(k);
}
function even(x: Tensor, n: number): Tensor { return n > 0 ? odd(x, n) : x; }
function odd(x: Tensor, n: number): Tensor { return x.mul(n); }
function arms(x: Tensor, n: number) {
  if (n > 1) return x;
  return 4;
}
class M extends jit.ScriptModule {
  forward(x: Tensor): Tensor { return even(loop(x).add(arms(x, 2) as Tensor), 1); }
}
export const m = new M();
`;
  const { analyser, path, check } = project({ 'a.ts': text('return x.mul(n);') });
  const now = (body: string, before?: string) => {
    analyser.update(path('a.ts'), text(body, before));
    const report = check('a.ts');
    const { lookedAt } = analyser;
    const fresh = new Analyser({ entry });
    fresh.update(path('a.ts'), text(body, before));
    // What is remembered is what would be found.
    expect(report).toEqual(fresh.check(path('a.ts')));
    return [lookedAt, ...codes(report)];
  };
  const first = codes(check('a.ts'));
  expect(first).toEqual(['JL203:10', 'JL302:11', 'JL104:17']);
  expect(analyser.lookedAt).toBe(7);
  expect(now('return x.mul(n).add(1);')).toEqual([1, ...first]);
  // Lines move.
  expect(now('const y = x.relu();\n  return y.mul(n);')).toEqual([1, 'JL203:11', 'JL302:12', 'JL104:18']);
  // A text that is no program yet.
  analyser.update(path('a.ts'), text('return x.'));
  expect(codes(check('a.ts'))).toEqual(['JLR-SYNTAX:7']);
  expect(now('for (const i of ns) x.add(i);\n  return x;')).toEqual([1, 'JL203:6', 'JL203:11', 'JL302:12', 'JL104:18']);
  // A call and a write are what some of the others want to know about.
  expect(now('return loop(x);')[0]).toBeLessThan(7);
  expect(now('ns.push(1);\n  return x;')[0]).toBeLessThan(7);
  // Another result, another declaration.
  expect(now('return n;')[0]).toBe(7);
  expect(now('return x;', 'const more = 1;\n')[0]).toBe(7);
});
