/** Where the software device cannot be unpacked: an error that says what to do, and without a home nothing else is one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, keptFolder } from '../../../runtime/cache.ts';
import { installSoftwareDriver } from '../../../runtime/device/software.ts';

const { homedir } = os;
/** As Node does for a user that nobody has entered. */
function withoutHome(): void {
  os.homedir = () => {
    throw new Error('uv_os_homedir returned ENOENT');
  };
  syncBuiltinESMExports();
}

const isSupported = process.platform === 'linux' && process.arch === 'x64';
const refused = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'JLR-DEVICE', message: expect.stringMatching(message) as string });
let folder = '';
beforeEach(() => (folder = mkdtempSync(join(os.tmpdir(), 'jitlens-software-'))));
afterEach(() => {
  vi.unstubAllEnvs();
  os.homedir = homedir;
  syncBuiltinESMExports();
  rmSync(folder, { recursive: true });
});

test.runIf(isSupported)('a folder that cannot be written', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  vi.stubEnv('JITLENS_CACHE', file);
  expect(installSoftwareDriver).toThrow(refused(/cannot be unpacked into .*file: /));
});

test('a user without a home', () => {
  withoutHome();
  vi.stubEnv('XDG_CACHE_HOME', undefined);
  vi.stubEnv('JITLENS_CACHE', undefined);
  expect([cacheFolder(), keptFolder('plans')]).toEqual([undefined, undefined]);
  if (isSupported) expect(installSoftwareDriver).toThrow(refused(/a home folder, which this user does not have/));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  expect(keptFolder('plans')).toBe(join(folder, 'jitlens', 'plans'));
});
