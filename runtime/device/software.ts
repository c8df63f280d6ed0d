/**
 * @file The software GPU: SwiftShader, which runs the same kernels on the CPU where there is no adapter. In: the archive
 * that is built into dist/. Out: a Vulkan driver that the next `create()` finds. Nothing is installed; it is unpacked
 * into the cache folder once.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder, makeFolder } from '../cache.ts';
import { JitLensError } from '../errors.ts';

/** Keeps a library loaded although nothing refers to it. */
const RTLD_NODELETE = 0x1000;
const VERSION = 'swiftshader-5.0.0';
const NEEDED = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

/** Makes the software driver visible to Vulkan; false where it cannot be had. */
export function installSoftwareDriver(): boolean {
  if (platform() !== 'linux' || process.arch !== 'x64') return false;
  const archive = findArchive();
  if (!archive) return false;
  const folder = unpacked(archive);
  loadLibrary(join(folder, 'libvulkan.so.1'));
  // The loader has two names for the list of drivers, and the newer one wins where both are set.
  for (const name of ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES']) process.env[name] = join(folder, 'vk_swiftshader_icd.json');
  return true;
}

/** Whether the machine has a Vulkan loader of its own; Dawn complains on standard error where it has none. */
export function hasVulkan(): boolean {
  return platform() !== 'linux' || loadLibrary('libvulkan.so.1');
}

/** Loads a shared library for good; false where there is none. */
function loadLibrary(file: string): boolean {
  try {
    process.dlopen({ exports: {} }, file, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // It is not a Node addon, and Node says so after it has loaded it, which is all that is wanted.
    return error instanceof Error && /self-register/.test(error.message);
  }
  return true;
}

function findArchive(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const name = 'swiftshader.tar.br';
  return [join(here, name), join(here, '../../dist', name), join(here, '../../node_modules/@sparticuz/chromium/bin', name)].find(
    existsSync,
  );
}

/** The folder with the driver; refused where it is not there and cannot be written. */
function unpacked(archive: string): string {
  const cache = cacheFolder();
  if (cache === undefined) throw noPlace('a home folder, which this user does not have');
  const folder = join(cache, VERSION);
  try {
    if (!NEEDED.every((name) => existsSync(join(folder, name)))) unpack(archive, folder);
  } catch (error) {
    throw noPlace(`${cache}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return folder;
}

function noPlace(where: string): JitLensError {
  return new JitLensError(
    'JLR-DEVICE',
    `the software device cannot be unpacked into ${where}`,
    'Have JITLENS_CACHE name a folder that can be written.',
  );
}

/** Unpacks beside the folder and renames, so that two processes or a kill half-way leave nothing broken. */
function unpack(archive: string, folder: string): void {
  const partial = `${folder}.${process.pid}`;
  makeFolder(partial);
  for (const { name, data } of tarEntries(brotliDecompressSync(readFileSync(archive)))) {
    if (NEEDED.includes(name)) writeFileSync(join(partial, name), data, { mode: 0o755 });
  }
  try {
    renameSync(partial, folder);
  } catch {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Regular files of a tar archive: 512-byte headers with the name at 0 and the octal size at 124, data padded to 512. */
function* tarEntries(tar: Buffer): Iterable<{ name: string; data: Buffer }> {
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const text = (from: number, length: number) => tar.toString('latin1', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8) || 0;
    yield { name: text(0, 100).replace(/^.*\//, ''), data: tar.subarray(at + 512, at + 512 + size) };
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
