/**
 * @file Starts and stops the VS Code server of vscode.mjs. In: a run folder, which becomes its whole world (home,
 * settings, extensions, temporary files), a workspace and VSIX files. Out: its address; `stop` leaves no process.
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run } from './vscode.mjs';

const settings = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'extensions.ignoreRecommendations': true,
  'update.mode': 'none',
  'git.openRepositoryInParentFolders': 'never',
  'chat.commandCenter.enabled': false,
  'typescript.disableAutomaticTypeAcquisition': true,
};

/** Folders of one run, and the arguments every call of the server gets. */
async function prepare(runFolder, extraSettings) {
  const at = (...parts) => join(runFolder, ...parts);
  for (const name of ['home', 'config', 'data', 'runtime', 'tmp', 'extensions', 'user-data/User']) {
    await mkdir(at(name), { recursive: true, mode: 0o700 });
  }
  await writeFile(at('user-data', 'User', 'settings.json'), JSON.stringify({ ...settings, ...extraSettings }, null, 2));
  const env = {
    ...process.env,
    HOME: at('home'),
    XDG_CONFIG_HOME: at('config'),
    XDG_DATA_HOME: at('data'),
    XDG_RUNTIME_DIR: at('runtime'),
    TMPDIR: at('tmp'),
    EXTENSIONS_GALLERY: '{}',
  };
  for (const name of Object.keys(env)) if (/^(VSCODE_|npm_|NODE_OPTIONS$)/.test(name)) delete env[name];
  const folders = ['--server-data-dir', runFolder, '--user-data-dir', at('user-data'), '--extensions-dir', at('extensions')];
  return { env, args: ['--accept-server-license-terms', ...folders] };
}

/**
 * @param {{ vscode: string, runFolder: string, workspace: string, vsix?: string[], settings?: object, trusted?: boolean }} options
 */
export async function startServer({ vscode, runFolder, workspace, vsix = [], settings: extra = {}, trusted = true }) {
  const main = join(vscode, 'out', 'server-main.js');
  const { env, args } = await prepare(runFolder, extra);
  for (const file of vsix) await run(process.execPath, [main, ...args, '--install-extension', file], runFolder, { env });

  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      main,
      ...args,
      ...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token', '--telemetry-level', 'off'],
      ...(trusted ? ['--disable-workspace-trust'] : []),
    ],
    { cwd: runFolder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log = createWriteStream(join(runFolder, 'server.log'));
  let ended = false;
  const closed = new Promise((resolve) => child.once('close', resolve)).then(() => (ended = true));
  await new Promise((resolve, reject) => {
    let text = '';
    const hear = (data) => {
      log.write(data);
      text = (text + data).slice(-4000);
      if (text.includes('Extension host agent listening')) resolve();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`VS Code's server ended with code ${code}:\n${text}`)));
  });

  return {
    // With --default-folder the workspace gets another authority than the extensions' files, and every file two URIs.
    url: `http://127.0.0.1:${port}/?folder=${encodeURI(workspace)}`,
    pid: child.pid,
    closed,
    /** Ends the server and everything it started. */
    async stop() {
      const killer = setTimeout(() => endGroup(child.pid, 'SIGKILL'), 3000);
      if (!ended) endGroup(child.pid, 'SIGTERM');
      await closed;
      clearTimeout(killer);
      endGroup(child.pid, 'SIGKILL');
      log.end();
    },
  };
}

function endGroup(pid, signal) {
  try {
    // Windows has no process groups.
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch {
    // Gone already.
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
