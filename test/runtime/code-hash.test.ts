/** The hash of the library's own code: another one for any change, none for code that is in somebody else's package. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeHash, hashBeside } from '../../runtime/code-hash.ts';

let folder = '';
const write = (name: string, text: string) => {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jitlens-code-'));
  write('package.json', '{"name":"jitlens","version":"1.0.0"}');
  write('dist/index.js', 'one');
  write('dist/chunk-1.js', 'two');
  write('runtime/index.ts', 'one');
  write('runtime/passes/fuse.ts', 'two');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('any change of a file beside it, or of the version, gives another hash; what is no code does not', () => {
  for (const [own, other, more] of [
    ['dist/index.js', 'dist/chunk-1.js', 'dist/chunk-2.js'],
    ['runtime/index.ts', 'runtime/passes/fuse.ts', 'runtime/passes/more.ts'],
  ] as const) {
    const hashes = [hashBeside(join(folder, own))];
    for (const change of [
      () => write(other, 'three'),
      () => write(more, ''),
      () => write('package.json', `{"name":"jitlens","version":"${own}"}`),
    ]) {
      change();
      hashes.push(hashBeside(join(folder, own)));
    }
    expect(new Set(hashes).size).toBe(4);
    expect(hashes.every((h) => /^[0-9a-f]{64}$/.test(h ?? ''))).toBe(true);
    write(`${dirname(own)}/data.json`, 'no code');
    expect(hashBeside(join(folder, own))).toBe(hashes.at(-1));
  }
});

test('code that is a part of another package, or of none, has no hash', () => {
  write('package.json', '{"name":"somebody"}');
  expect(hashBeside(join(folder, 'dist/index.js'))).toBeUndefined();
  rmSync(join(folder, 'package.json'));
  expect(hashBeside(join(folder, 'dist/index.js'))).toBeUndefined();
});

test('this code has one', () => expect(codeHash()).toMatch(/^[0-9a-f]{64}$/));
