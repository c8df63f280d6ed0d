/**
 * @file The command line as a user runs it: `node dist/cli.js` in a process of its own, on files in a temporary folder.
 * In: arguments and files. Out: exit code and what was printed. The folder goes when the file's tests are over.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, 'dist/cli.js');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Puts what the sources say into dist/, which is what the command line runs. */
export function build(): void {
  execFileSync(process.execPath, ['esbuild.mjs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}

export class Workspace {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'jitlens-cli-')));

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  start(args: string[]): {
    readonly pid: number | undefined;
    readonly kill: (signal: NodeJS.Signals) => void;
    readonly ended: Promise<Ended>;
  } {
    const child = spawn(process.execPath, [program, ...args], { cwd: this.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    return { pid: child.pid, kill: (signal) => void child.kill(signal), ended };
  }

  /** Ids of processes that were started for a file of this folder and still run. */
  processes(): string[] {
    const listed = execFileSync('ps', ['-ww', '-eo', 'pid,stat,args'], { encoding: 'utf8' });
    return listed.split('\n').filter((line) => line.includes(this.folder) && !/^\s*\d+\s+Z/.test(line));
  }
}

/** The line on which `text` stands, counted from 1, and its column. */
export function placeIn(source: string, text: string): { line: number; column: number } {
  const at = source.indexOf(text);
  if (at < 0) throw new Error(`‘${text}’ is not there`);
  const before = source.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
