/**
 * How long the analyser takes: a project of 200 files from cold, and a module of 1,000 lines after a keystroke in it.
 * Cold is all but Node's own start: loading the compiler (from V8's cache after the first time), parsing the libraries and the
 * files, their types and every report. A keystroke is a new text until its report; what the process does between answers
 * (`rest`) is done between them here too, and not counted. The least of several runs says most on a machine that others use.
 * Usage: npx esbuild test/bench/analyser.ts --bundle --platform=node --format=esm --external:typescript --outfile=dist/analyser-bench.js && node dist/analyser-bench.js
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Analyser } from '../../runtime/script/analyse.ts';

/** The types that users have. */
const entry = fileURLToPath(new URL('types/runtime/index.d.ts', import.meta.url));
const FILES = 200;
const TURNS = 20;
const folder = mkdtempSync(join(tmpdir(), 'jitlens-bench-'));

/** A module of some functions, each of ten lines; it calls one of the module before. */
function moduleText(i: number, functions: number): string {
  const before = i === 0 ? '' : `import { f0 as other } from './m${i - 1}.ts';\n`;
  const body = Array.from(
    { length: functions },
    (_, k) => `export function f${k}(x: Tensor, w: Tensor, ns: readonly number[]): Tensor {
  const [batch] = x.shape;
  let z = x.matmul(w).relu();
  for (const n of ns) z = z.add(n).mul(0.5);
  if (z.rank > 2) {
    z = z.sum({ dim: -1 }).tanh();
  } else {
    z = z.sub(w).sigmoid();
  }
  return z.div(batch ?? 1);
}
`,
  ).join('');
  const call = i === 0 ? '' : `export const all${i} = (x: Tensor): Tensor => other(x, x, [1]).add(1);\n`;
  return `import { jit, nn, type Tensor } from 'jitlens';\n${before}${body}${call}export class M${i} extends nn.Module {\n  forward(x: Tensor): Tensor {\n    return f0(x, x, [1, 2]);\n  }\n}\nexport const e${i} = jit.example(() => new M${i}(), () => [null as never]);\n`;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] ?? 0;

try {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'tsconfig.json'),
    '{ "compilerOptions": { "strict": true, "target": "esnext", "module": "esnext", "moduleResolution": "bundler", "allowImportingTsExtensions": true, "types": [] } }',
  );
  const files = Array.from({ length: FILES }, (_, i) => join(folder, `m${i}.ts`));
  files.forEach((file, i) => writeFileSync(file, moduleText(i, 5)));
  let start = performance.now();
  const analyser = new Analyser({ entry });
  const reports = analyser.checkAll(files);
  const cold = performance.now() - start;
  analyser.rest();
  const functions = reports.reduce((sum, r) => sum + r.functions.length, 0);
  console.log(`${FILES} files, ${functions} functions, cold: ${cold.toFixed(0)} ms`);

  mkdirSync(join(folder, 'alone'));
  writeFileSync(join(folder, 'alone/tsconfig.json'), '{ "extends": "../tsconfig.json" }');
  const text = moduleText(0, 90);
  const times: number[] = [];
  for (const alone of [true, false]) {
    const long = join(folder, alone ? 'alone/long.ts' : 'long.ts');
    const one = alone ? new Analyser({ entry }) : analyser;
    one.update(long, text);
    one.check(long);
    times.length = 0;
    for (let k = 0; k < TURNS; k++) {
      one.update(long, text.replace('relu()', `relu().mul(${k})`));
      start = performance.now();
      one.check(long);
      times.push(performance.now() - start);
      one.rest();
    }
    console.log(
      `${text.split('\n').length} lines after a keystroke, ${alone ? 'project of one file' : 'project of 200 files'}: ${median(times).toFixed(1)} ms, least ${Math.min(...times).toFixed(1)} ms`,
    );
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
