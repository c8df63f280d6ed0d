/**
 * @file `npm start`: a real VS Code on 127.0.0.1 with the extension and the samples loaded, for trying it by hand. Ends
 * on Ctrl-C and leaves no process.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache.mjs';
import { packageVsix } from './package.mjs';
import { startServer } from './server.mjs';
import { installVscode } from './vscode.mjs';
import { makeWorkspace } from './workspace.mjs';

const say = (text) => console.log(text);

try {
  const vscode = await installVscode(say);
  const runFolder = join(cacheFolder, 'start');
  await rm(join(runFolder, 'extensions'), { recursive: true, force: true });
  await mkdir(runFolder, { recursive: true });
  const vsix = join(runFolder, 'jitlens.vsix');
  say('Packing the extension …');
  await packageVsix(vsix);

  say(`Copying the samples to ${join(runFolder, 'workspace')} …`);
  const workspace = await makeWorkspace(join(runFolder, 'workspace'));
  say('Starting VS Code …');
  const server = await startServer({ vscode, runFolder, workspace, vsix: [vsix] });
  say(`\n  ${server.url}\n\nOpen it in a browser; open conv2d.ts and run “JitLens: Trace and Profile”. Ctrl-C ends it.`);

  const end = () => void server.stop();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  await server.closed;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
