/** The analyser on code that has nothing to do with tensors: half a million lines of it from packages, and not one diagnostic. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { Analyser, SYNTAX } from '../../runtime/script/analyse.ts';

const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
const WANTED = 500_000;
/** Files that are one line, or one program of megabytes, are not what anybody writes. */
const LONGEST = 400_000;

function* sources(folder: string): Iterable<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.[cm]?[jt]s$/.test(entry.name) && !/\.d\.[cm]?ts$|\.min\./.test(entry.name)) yield path;
  }
}

test('half a million lines of other people’s code give no diagnostic', () => {
  let lines = 0;
  let analyser = new Analyser();
  let batch: string[] = [];
  const found: string[] = [];
  const run = () => {
    for (const { file, diagnostics, functions } of analyser.checkAll(batch)) {
      // Some packages ship templates that are not programs.
      for (const d of diagnostics) if (d.code !== SYNTAX) found.push(`${file}:${d.range.start.line} ${d.code} ${d.message}`);
      if (functions.length > 0) found.push(`${file}: ${functions.length} functions`);
    }
    analyser = new Analyser();
    batch = [];
  };
  for (const file of sources(packages)) {
    const text = readFileSync(file, 'utf8');
    if (text.length > LONGEST) continue;
    // Made to touch a tensor, so that every rule looks at it instead of the file being passed by.
    analyser.update(file, `import { tensor as jitlensTensor } from 'jitlens';\n${text}`);
    lines += text.split('\n').length;
    batch.push(file);
    if (batch.length === 400) run();
    if (lines >= WANTED) break;
  }
  run();
  console.log(`${lines} lines`);
  expect(found).toEqual([]);
  expect(lines).toBeGreaterThanOrEqual(WANTED);
});
