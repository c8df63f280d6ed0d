/** What is kept on disk: the folder, files that are whole or not there, and which go first where there are too many. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, keep, keptFolder, makeFolder, readKept, sizeOf, trim } from '../../runtime/cache.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'jitlens-cache-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A file that was used so many days ago. */
function aged(name: string, days: number): void {
  const then = new Date(Date.now() - days * 86_400_000);
  writeFileSync(join(folder, name), Buffer.alloc(10));
  utimesSync(join(folder, name), then, then);
}

test('the folder is what JITLENS_CACHE names; where it is off, drivers still have one and nothing is kept', () => {
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('JITLENS_CACHE', '/somewhere');
  expect([cacheFolder(), keptFolder('plans')]).toEqual(['/somewhere', join('/somewhere', 'plans')]);
  vi.stubEnv('JITLENS_CACHE', 'off');
  expect([cacheFolder(), keptFolder('plans')]).toEqual([join(folder, 'jitlens'), undefined]);
  for (const unset of [undefined, '']) {
    vi.stubEnv('JITLENS_CACHE', unset);
    expect([cacheFolder(), keptFolder('plans')]).toEqual([join(folder, 'jitlens'), join(folder, 'jitlens', 'plans')]);
  }
});

test('what is kept is read again, replaced as a whole, and leaves no parts behind', () => {
  const file = join(folder, 'deep', 'one');
  expect(readKept(file)).toBeUndefined();
  expect([keep(file, 'first'), keep(file, Buffer.from('second'))]).toEqual([true, true]);
  expect(readKept(file)?.toString()).toBe('second');
  expect(readdirSync(join(folder, 'deep'))).toEqual(['one']);
});

test('a folder that cannot be written to keeps nothing, and says so', () => {
  writeFileSync(join(folder, 'file'), '');
  expect(keep(join(folder, 'file', 'one'), 'first')).toBe(false);
  mkdirSync(join(folder, 'taken'));
  expect(keep(join(folder, 'taken'), 'first')).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(['file', 'taken']);
});

test('the files that were used longest ago go first; reading one is using it', () => {
  aged('a', 4);
  aged('b', 3);
  aged('c', 2);
  aged('d', 1);
  readKept(join(folder, 'a'));
  expect(sizeOf(folder)).toEqual({ files: 4, bytes: 40 });
  trim(folder, 25);
  expect(readdirSync(folder)).toEqual(['a', 'd']);
  trim(folder, 20);
  expect(sizeOf(folder)).toEqual({ files: 2, bytes: 20 });
});

test('parts that somebody left behind go, those that may still be written stay', () => {
  aged('old.part', 2);
  aged('new.part', 0);
  trim(folder, 100);
  expect(readdirSync(folder)).toEqual(['new.part']);
  trim(join(folder, 'missing'), 100);
  expect(existsSync(join(folder, 'missing'))).toBe(false);
});

test('folders are made with those above them, once, and where none can be there is an error', () => {
  const deep = join(folder, 'a', 'b', 'c');
  makeFolder(deep);
  makeFolder(deep);
  expect(existsSync(deep)).toBe(true);
  writeFileSync(join(folder, 'file'), '');
  expect(() => {
    makeFolder(join(folder, 'file', 'below', 'it'));
  }).toThrow();
  if (process.platform !== 'linux') return;
  expect(() => {
    makeFolder('/proc/nowhere/plans');
  }).toThrow('/proc/nowhere');
  expect(keep('/proc/nowhere/plans/one', 'data')).toBe(false);
});
