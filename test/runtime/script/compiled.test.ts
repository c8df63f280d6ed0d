/** Compiled code that is kept between processes: used when it fits, made anew when the file is another, never in the way. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepCompiled, requireCompiled, sweep } from '../../../runtime/script/compiled.ts';

const folder = mkdtempSync(join(tmpdir(), 'jitlens-compiled-'));
const cache = join(folder, 'cache');
const file = join(folder, 'one.js');
const kept = () => readdirSync(join(cache, 'compiled'));
beforeEach(() => {
  vi.stubEnv('JITLENS_CACHE', cache);
  vi.stubEnv('NODE_V8_COVERAGE', undefined);
  writeFileSync(file, "module.exports = { name: __filename, join: require('node:path').join };");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a module is what require gives, from its text and from what was kept of it', () => {
  expect(requireCompiled(file)).toEqual({ name: file, join });
  keepCompiled();
  expect(kept()).toHaveLength(1);
  expect(requireCompiled(file)).toEqual({ name: file, join });
  keepCompiled();
  expect(kept()).toHaveLength(1);
});

test('another text is compiled anew, and what is kept but broken is made again', () => {
  requireCompiled(file);
  keepCompiled();
  const [name = ''] = kept();
  writeFileSync(join(cache, 'compiled', name), 'no code');
  expect(requireCompiled(file)).toEqual({ name: file, join });
  keepCompiled();
  writeFileSync(file, 'module.exports = 23;');
  expect(requireCompiled(file)).toBe(23);
  keepCompiled();
  expect(kept()).toHaveLength(2);
});

test('a cache that cannot be written to, or is not wanted, changes nothing', () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(cache, 'a file');
  expect(requireCompiled(file)).toEqual({ name: file, join });
  keepCompiled();
  rmSync(cache);
  vi.stubEnv('NODE_DISABLE_COMPILE_CACHE', '1');
  expect(requireCompiled(file)).toEqual({ name: file, join });
  keepCompiled();
  expect(() => kept()).toThrow();
});

test('the nursery can be swept', () => expect(() => sweep()).not.toThrow());
