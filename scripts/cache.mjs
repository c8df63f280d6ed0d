/**
 * @file Things that are made once and kept outside node_modules. In: a name and how to make it. Out: its folder, which
 * is either whole or not there, however often or rudely the making was interrupted.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** `JITLENS_CACHE_DIR`, else `.cache` in the repository. */
export const cacheFolder = process.env.JITLENS_CACHE_DIR || join(repository, '.cache');

/** The folder `name` of the cache, made by `make(folder)` when it is missing. */
export async function cached(name, make) {
  const target = join(cacheFolder, name);
  if (existsSync(target)) return target;
  await mkdir(cacheFolder, { recursive: true });
  await removeLeftovers(name);
  const staging = join(cacheFolder, `${name}.tmp-${process.pid}`);
  await mkdir(staging);
  try {
    await make(staging);
    await rename(staging, target);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another process was quicker.
    if (!existsSync(target)) throw error;
  }
  return target;
}

/** Half-made folders of processes that are gone. */
async function removeLeftovers(name) {
  for (const entry of await readdir(cacheFolder)) {
    const pid = entry.startsWith(`${name}.tmp-`) ? Number(entry.slice(name.length + 5)) : NaN;
    if (pid && !isAlive(pid)) await rm(join(cacheFolder, entry), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
