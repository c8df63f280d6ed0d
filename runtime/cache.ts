/**
 * @file What is kept on disk between processes. In: names and bytes. Out: the bytes again, whole or not at all, whoever else
 * writes or is stopped meanwhile. `JITLENS_CACHE` names the folder, or is `off`. A folder that cannot be used costs time only.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const OFF = 'off';
/** Files being written end so; one that is older than a day is nobody's any more. */
const PART = '.part';
const DAY_MS = 86_400_000;

/** Where software drivers are unpacked, whatever else is kept; undefined for a user without a home. */
export function cacheFolder(): string | undefined {
  const named = process.env['JITLENS_CACHE'];
  if (named && named !== OFF) return named;
  const caches = process.env['XDG_CACHE_HOME'] || inHome('.cache');
  return caches === undefined ? undefined : join(caches, 'jitlens');
}

/** Containers run as users that nobody has entered, for whom Node throws. */
function inHome(name: string): string | undefined {
  try {
    return join(homedir(), name);
  } catch {
    return undefined;
  }
}

/** Where files of one kind are kept; undefined where nothing is to be. */
export function keptFolder(kind: string): string | undefined {
  const folder = process.env['JITLENS_CACHE'] === OFF ? undefined : cacheFolder();
  return folder === undefined ? undefined : join(folder, kind);
}

/** Makes a folder and those above it. Node's own recursive way never ends where a file system refuses, as /proc does. */
export function makeFolder(path: string): void {
  if (isMade(path)) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  if (!isMade(path)) throw new Error(`no folder can be made at ${path}`);
}

/** Whether it is there now; where what it would stand in is not, it cannot be made yet. */
function isMade(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
    return code === 'EEXIST';
  }
}

/** What the file holds, which counts as used now; undefined where there is none. */
export function readKept(file: string): Buffer | undefined {
  try {
    const data = readFileSync(file);
    const now = new Date();
    utimesSync(file, now, now);
    return data;
  } catch {
    return undefined;
  }
}

/** Whether it is kept now. */
export function keep(file: string, data: string | Buffer): boolean {
  const part = `${file}.${randomUUID()}${PART}`;
  try {
    makeFolder(dirname(file));
    writeFileSync(part, data, { mode: 0o600 });
    renameSync(part, file);
    return true;
  } catch {
    remove(part);
    return false;
  }
}

/** Lets go of the files that were used longest ago until the folder holds at most so many bytes. */
export function trim(folder: string, mostBytes: number): void {
  const files = entries(folder).sort((a, b) => b.used - a.used);
  let bytes = 0;
  for (const { file, size, used } of files) {
    const abandoned = basename(file).endsWith(PART) && used < Date.now() - DAY_MS;
    if (!abandoned) bytes += size;
    if (abandoned || bytes > mostBytes) remove(file);
  }
}

/** How much a folder holds. */
export function sizeOf(folder: string): { readonly files: number; readonly bytes: number } {
  const all = entries(folder);
  return { files: all.length, bytes: all.reduce((sum, { size }) => sum + size, 0) };
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Somebody else has it, or the folder.
  }
}

function entries(folder: string): { file: string; size: number; used: number }[] {
  try {
    return readdirSync(folder).flatMap((name) => {
      const file = join(folder, name);
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat?.isFile() ? [{ file, size: stat.size, used: stat.mtimeMs }] : [];
    });
  } catch {
    return [];
  }
}
