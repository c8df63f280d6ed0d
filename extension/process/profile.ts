/**
 * @file Profiles one example of one file in a runner process. In: the request, the setting for Node, someone to hear
 * the stages and the output. Out: an outcome; a missing Node is a failure like any other.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProfile, type ClientOptions, type Outcome } from '../../runtime/host/client.ts';
import type { ProfileRequest } from '../../runtime/host/protocol.ts';
import { findNode } from './node.ts';

/** The code of every failure that a setting for Node may mend; the client uses it too. */
export const NO_NODE = 'JLR-NODE';

export type ProfileHooks = Pick<ClientOptions, 'runnerPath' | 'signal' | 'onStage' | 'onOutput'>;

export async function profileFile(
  request: ProfileRequest,
  nodeSetting: string | undefined,
  hooks: ProfileHooks,
): Promise<Outcome> {
  const node = await findNode(nodeSetting);
  if ('path' in node) return runProfile(request, { ...hooks, nodePath: node.path, cwd: packageRoot(request.file) });
  const hint = 'Install Node, or set `jitlens.nodePath` to where it is.';
  return { kind: 'failed', failure: { code: NO_NODE, message: node.problem, hint } };
}

/** Where a user would start Node by hand: the nearest folder upwards with a manifest. */
function packageRoot(file: string): string | undefined {
  const own = dirname(file);
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    // A working directory that is gone would keep the runner from starting and saying so.
    if (dirname(folder) === folder) return existsSync(own) ? own : undefined;
  }
}
