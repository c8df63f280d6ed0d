/** @file The runner's end of the protocol: messages out, and the clock that the watchdog looks at. */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Failure, ProfileRequest, RunnerMessage, Stage } from './protocol.ts';
import type { Profile } from '../profile/model.ts';

const CHANNEL = 3;

export class Channel {
  private readonly watchdog: Worker | undefined;
  private readonly beat = new SharedArrayBuffer(16);

  constructor(request: ProfileRequest) {
    this.progress();
    if (request.timeoutMs === undefined) return;
    const workerData = { beat: this.beat, timeoutMs: request.timeoutMs, channel: CHANNEL, file: request.file };
    this.watchdog = new Worker(new URL('./watchdog.js', import.meta.url), { workerData });
    this.watchdog.unref();
  }

  /** Something got done. */
  progress(): void {
    new Float64Array(this.beat)[0] = Date.now();
  }

  /** The user's code has run to its end once: from here on it is measured, not watched line by line. */
  trusted(): void {
    new Float64Array(this.beat)[1] = 1;
  }

  stage(stage: Stage, label: string, fraction: number): void {
    this.progress();
    this.send({ type: 'stage', stage, label, fraction });
  }

  /** Ends the watchdog, whose debugger would otherwise hold the process. */
  async close(): Promise<void> {
    await this.watchdog?.terminate();
  }

  done(profile: Profile): void {
    this.send({ type: 'done', profile });
  }

  failed(failure: Failure): void {
    this.send({ type: 'failed', failure });
  }

  /** Written whole before it returns: the process may end right after. */
  private send(message: RunnerMessage): void {
    const data = Buffer.from(`${JSON.stringify(message)}\n`);
    for (let at = 0; at < data.length;) {
      try {
        at += writeSync(CHANNEL, data, at);
      } catch (error) {
        // The pipe is full; the parent is reading.
        if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      }
    }
  }
}
