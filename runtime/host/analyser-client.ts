/**
 * @file The analyser process as seen by the editor. In: the texts of open files, and files to check. Out: their reports. A
 * process that ends or hangs is started again with all that it had been told, a few times a minute; an answer that a newer
 * question overtook is dropped. No process outlives its client.
 */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FileReport } from '../profile/diagnostic.ts';
import { parseAnswer, type AnalyserAnswer, type AnalyserRequest } from './analyser-protocol.ts';

export interface AnalyserOptions {
  /** `dist/analyser.js`. */
  readonly analyserPath: string;
  /** A Node, or an Electron: the analyser needs no GPU. */
  readonly nodePath: string;
  /** How often in a minute it may be started anew. */
  readonly restarts?: number;
  /** How long it may look at one file. */
  readonly timeoutMs?: number;
  /** What nobody but its author wants to know. */
  readonly onLog?: (text: string) => void;
}

interface Question {
  readonly id: number;
  readonly answer: (report: FileReport | undefined) => void;
  readonly net: NodeJS.Timeout;
}

const RESTARTS = 5;
const MINUTE_MS = 60_000;
const TIMEOUT_MS = 30_000;
const KILL_AFTER_MS = 1_000;

export class AnalyserClient {
  private child: ChildProcessWithoutNullStreams | undefined;
  private readonly texts = new Map<string, string>();
  private readonly questions = new Map<string, Question>();
  private starts: number[] = [];
  private lastId = 0;
  private disposed = false;

  constructor(private readonly options: AnalyserOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** A file has this text in an editor; without one it is what the disk says, which may have changed. */
  update(file: string, text?: string): void {
    if (text === undefined) this.texts.delete(file);
    else this.texts.set(file, text);
    // A process that is not there is told when it starts.
    if (this.child) this.send({ type: 'update', file, text });
  }

  /** Undefined when a newer check of the file overtook this one, or there is no analyser to be had. */
  check(file: string): Promise<FileReport | undefined> {
    this.settle(file, undefined);
    return new Promise((answer) => {
      const id = ++this.lastId;
      const net = setTimeout(() => {
        this.options.onLog?.(`the analyser did not answer for ${file}`);
        this.settle(file, undefined);
        this.child?.kill('SIGKILL');
      }, this.options.timeoutMs ?? TIMEOUT_MS);
      this.questions.set(file, { id, answer, net });
      if (this.child) this.send({ type: 'check', file, id });
      else this.start();
    });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    this.giveUp();
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.end();
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    await ended;
    clearTimeout(killer);
  }

  private start(): void {
    const now = Date.now();
    this.starts = this.starts.filter((at) => at > now - MINUTE_MS);
    if (this.disposed || this.starts.length > (this.options.restarts ?? RESTARTS)) return this.giveUp();
    this.starts.push(now);
    const { NODE_OPTIONS: _dropped, VSCODE_INSPECTOR_OPTIONS: _too, ...env } = process.env;
    const child = spawn(this.options.nodePath, [this.options.analyserPath], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...env, ELECTRON_RUN_AS_NODE: '1' },
      windowsHide: true,
    });
    this.child = child;
    // Whatever it was that broke the pipe, `close` follows.
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.options.onLog?.(text));
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      const answer = parseAnswer(line);
      if (answer) this.hear(answer);
    });
    child.once('error', (error) => this.options.onLog?.(`the analyser could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      this.child = undefined;
      if (this.disposed) return;
      this.options.onLog?.(`the analyser ended (${signal ?? `exit code ${code}`})`);
      if (this.questions.size > 0) this.start();
    });
    for (const [file, text] of this.texts) this.send({ type: 'update', file, text });
    for (const [file, { id }] of this.questions) this.send({ type: 'check', file, id });
  }

  private send(request: AnalyserRequest): void {
    this.child?.stdin.write(`${JSON.stringify(request)}\n`);
  }

  private hear(answer: AnalyserAnswer): void {
    const [file] = [...this.questions].find(([, { id }]) => id === answer.id) ?? [];
    if (file === undefined) return;
    if (answer.type === 'failed') this.options.onLog?.(`the analyser failed on ${file}: ${answer.message}`);
    this.settle(file, answer.type === 'report' ? answer.report : undefined);
  }

  private settle(file: string, report: FileReport | undefined): void {
    const question = this.questions.get(file);
    if (!question) return;
    clearTimeout(question.net);
    this.questions.delete(file);
    question.answer(report);
  }

  private giveUp(): void {
    for (const file of [...this.questions.keys()]) this.settle(file, undefined);
  }
}
