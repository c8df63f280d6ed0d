import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findNode } from '../../extension/process/node.ts';

describe.skipIf(process.platform === 'win32')('findNode', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'jitlens-node-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A program that answers as a Node of that version would. */
  async function fake(answer: string): Promise<string> {
    await writeFile(join(folder, 'node'), `#!/bin/sh\necho '${answer}'\n`);
    await chmod(join(folder, 'node'), 0o755);
    return join(folder, 'node');
  }

  it('takes the first on the path that fits', async () => {
    await fake('["18.2.0",false]');
    const env = { PATH: [folder, dirname(process.execPath)].join(delimiter) };
    expect(await findNode(undefined, env)).toEqual({ path: join(dirname(process.execPath), 'node') });
  });

  it('says that there is none', async () => {
    expect(await findNode(undefined, { PATH: '' })).toEqual({
      problem: 'JitLens runs your code in Node 20 or later, but there is none on the path.',
    });
  });

  it('refuses an old one and Electron, and says which', async () => {
    const path = await fake('["18.2.0",false]');
    const old = `JitLens runs your code in Node 20 or later, but ‘${path}’ is Node 18.2.0.`;
    expect(await findNode(undefined, { PATH: folder })).toEqual({ problem: old });
    await fake('["22.1.0",true]');
    const electron = `The setting jitlens.nodePath names ‘${path}’, which is Electron, not Node.`;
    expect(await findNode(path, {})).toEqual({ problem: electron });
  });

  it('refuses a setting that does not start', async () => {
    const problem = 'The setting jitlens.nodePath names ‘/nowhere/node’, which does not start as Node.';
    expect(await findNode('/nowhere/node', {})).toEqual({ problem });
  });
});
