/**
 * @file Starts a runner process and waits for its profile. Used by the command line and by the extension alike; holds
 * no tensor code. In: a request. Out: a profile or a failure. Whatever happens, no process is left.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Profile } from '../profile/model.ts';
import { parseRunnerMessage, type Failure, type ProfileRequest, type RunnerMessage } from './protocol.ts';

export interface ClientOptions {
  /** A real Node (not Electron's), 20 or later. */
  readonly nodePath: string;
  /** `dist/runner.js`. */
  readonly runnerPath: string;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  readonly onStage?: (message: Extract<RunnerMessage, { type: 'stage' }>) => void;
  /** What the user's code printed. */
  readonly onOutput?: (text: string) => void;
}

export type Outcome =
  | { readonly kind: 'done'; readonly profile: Profile }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'cancelled' };

const DEFAULT_TIMEOUT_MS = 60_000;
/** The runner reports a loop's line itself at the limit; the parent's own limit is the net below it. */
const GRACE_MS = 5_000;
const KILL_AFTER_MS = 1_000;

/** Runs one request in a process of its own. Never rejects: everything that can go wrong is an outcome. */
export function runProfile(request: ProfileRequest, options: ClientOptions): Promise<Outcome> {
  const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  return new Promise((resolve) => {
    if (options.signal?.aborted) return resolve({ kind: 'cancelled' });
    const child = spawn(
      options.nodePath,
      ['--enable-source-maps', '--max-old-space-size=8192', options.runnerPath, JSON.stringify({ ...request, timeoutMs })],
      { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe', 'pipe'], env: runnerEnvironment() },
    );
    let outcome: Outcome | undefined;
    let log = '';
    let net: NodeJS.Timeout | undefined;
    const settle = (result: Outcome) => {
      outcome ??= result;
      stop(child);
    };
    const onAbort = () => settle({ kind: 'cancelled' });
    const wind = () => {
      clearTimeout(net);
      net = setTimeout(() => settle({ kind: 'failed', failure: timedOut(request, timeoutMs) }), timeoutMs + GRACE_MS);
    };
    const hear = (text: string) => {
      log = (log + text).slice(-20_000);
      options.onOutput?.(text);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    wind();
    child.stdout?.setEncoding('utf8').on('data', hear);
    child.stderr?.setEncoding('utf8').on('data', hear);
    createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
      const message = parseRunnerMessage(line);
      wind();
      if (message?.type === 'stage') options.onStage?.(message);
      if (message?.type === 'done') settle({ kind: 'done', profile: message.profile });
      if (message?.type === 'failed') settle({ kind: 'failed', failure: message.failure });
    });
    child.on('error', (error) => settle({ kind: 'failed', failure: noNode(options.nodePath, error) }));
    child.on('close', (code, signal) => {
      clearTimeout(net);
      options.signal?.removeEventListener('abort', onAbort);
      resolve(outcome ?? { kind: 'failed', failure: crashed(request, code, signal, log) });
    });
  });
}

/** The child gets what a program needs to run and to find its GPU, and nothing that redirects Node. */
function runnerEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: undefined, ELECTRON_RUN_AS_NODE: undefined, VSCODE_INSPECTOR_OPTIONS: undefined };
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  child.once('close', () => clearTimeout(timer));
}

function timedOut(request: ProfileRequest, timeoutMs: number): Failure {
  return {
    code: 'JLR-TIMEOUT',
    message: `${request.file}: nothing happened for ${timeoutMs / 1000} s, so the run was stopped`,
    hint: 'Look for a loop that does not end, or raise the limit with --timeout.',
  };
}

function noNode(nodePath: string, error: Error): Failure {
  return {
    code: 'JLR-NODE',
    message: `Node could not be started from ‘${nodePath}’`,
    hint: 'Install Node 20 or later, or set `jitlens.nodePath` to where it is.',
    details: error.message,
  };
}

function crashed(request: ProfileRequest, code: number | null, signal: NodeJS.Signals | null, log: string): Failure {
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
  return {
    code: 'JLR-CRASH',
    message: `${request.file}: the process that ran it ${how} before it was done`,
    hint: 'Its own words are in the details; `jitlens doctor` checks the GPU and its driver.',
    details: log,
  };
}
