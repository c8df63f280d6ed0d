import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNode, type Kind } from '../../extension/process/node.ts';

describe('findNode', () => {
  let folder: string;
  let other: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jitlens-node-'));
    // What it would answer is said below: a program of this system's own kind cannot be made up.
    other = join(folder, process.platform === 'win32' ? 'node.exe' : 'node');
    await writeFile(other, '');
    await chmod(other, 0o755);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const answers = (kind: Kind | undefined) => (path: string) =>
    Promise.resolve(path === other ? kind : { version: process.versions.node, electron: false });

  it('takes the first on the path that fits', async () => {
    const env = { PATH: [folder, dirname(process.execPath)].join(delimiter) };
    const own = join(dirname(process.execPath), basename(other));
    expect(await findNode(undefined, env, answers({ version: '18.2.0', electron: false }))).toEqual({ path: own });
  });

  it('asks the programs themselves', async () => {
    expect(await findNode(process.execPath, {})).toEqual({ path: process.execPath });
    const env = { PATH: [folder, dirname(process.execPath)].join(delimiter) };
    expect(await findNode(undefined, env)).toEqual({ path: join(dirname(process.execPath), basename(other)) });
  });

  it('says that there is none', async () => {
    expect(await findNode(undefined, { PATH: '' })).toEqual({
      problem: 'JitLens runs your code in Node 20 or later, but there is none on the path.',
    });
  });

  it('refuses an old one and Electron, and says which', async () => {
    const old = `JitLens runs your code in Node 20 or later, but ‘${other}’ is Node 18.2.0.`;
    const is = (version: string, electron: boolean) => answers({ version, electron });
    expect(await findNode(undefined, { PATH: folder }, is('18.2.0', false))).toEqual({ problem: old });
    const electron = `The setting jitlens.nodePath names ‘${other}’, which is Electron, not Node.`;
    expect(await findNode(other, {}, is('22.1.0', true))).toEqual({ problem: electron });
  });

  it('refuses a setting that does not start', async () => {
    const nowhere = join(folder, 'nowhere');
    const problem = `The setting jitlens.nodePath names ‘${nowhere}’, which does not start as Node.`;
    expect(await findNode(nowhere, {})).toEqual({ problem });
  });
});
