/**
 * @file Finds a real Node for the runner; Electron's cannot hold GPU buffers. In: the setting and the search path.
 * Out: a program, or a sentence that says why there is none.
 */
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

export const OLDEST_NODE = 20;

export type NodeSearch = { readonly path: string } | { readonly problem: string };

export interface Kind {
  readonly version: string;
  readonly electron: boolean;
}

/** `ask` runs a program and says what it is; undefined when it is no Node. */
export async function findNode(
  setting: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  ask = kindOf,
): Promise<NodeSearch> {
  if (setting !== undefined) {
    const problem = unfit(await ask(setting, env));
    return problem === undefined
      ? { path: setting }
      : { problem: `The setting jitlens.nodePath names ‘${setting}’, which ${problem}.` };
  }
  let last: string | undefined;
  for (const path of await candidates(env)) {
    const problem = unfit(await ask(path, env));
    if (problem === undefined) return { path };
    last ??= `‘${path}’ ${problem}`;
  }
  const found = last === undefined ? 'there is none on the path' : last;
  return { problem: `JitLens runs your code in Node ${OLDEST_NODE} or later, but ${found}.` };
}

/** Every `node` on the path, in its order. */
async function candidates(env: NodeJS.ProcessEnv): Promise<string[]> {
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const folders = (env.PATH ?? env.Path ?? '').split(delimiter).filter((folder) => folder !== '');
  const there = await Promise.all(
    folders.map((folder) =>
      access(join(folder, program), constants.X_OK).then(
        () => [join(folder, program)],
        () => [],
      ),
    ),
  );
  return [...new Set(there.flat())];
}

function kindOf(path: string, env: NodeJS.ProcessEnv): Promise<Kind | undefined> {
  const script = 'console.log(JSON.stringify([process.versions.node, "electron" in process.versions]))';
  const { NODE_OPTIONS: _dropped, ...rest } = env;
  return new Promise((resolve) => {
    execFile(
      path,
      ['-e', script],
      { env: { ...rest, ELECTRON_RUN_AS_NODE: '1' }, timeout: 10_000, windowsHide: true },
      (error, stdout) => resolve(error ? undefined : parse(stdout)),
    );
  });
}

function parse(text: string): Kind | undefined {
  const match = /^\["(\d+[\d.]*)",(true|false)\]\s*$/.exec(text);
  return match?.[1] === undefined ? undefined : { version: match[1], electron: match[2] === 'true' };
}

function unfit(kind: Kind | undefined): string | undefined {
  if (kind === undefined) return 'does not start as Node';
  if (kind.electron) return 'is Electron, not Node';
  return Number.parseInt(kind.version, 10) < OLDEST_NODE ? `is Node ${kind.version}` : undefined;
}
