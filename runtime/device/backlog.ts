/**
 * @file Work that waits for pipelines. In: tasks in the order in which they were asked for. Out: the same, run in that order,
 * each as soon as its pipeline is compiled and all before it have run. Where none waits, nobody comes here.
 */
import type { Runnable } from './pipelines.ts';

interface Task {
  readonly run: () => void;
  readonly pipeline?: Runnable;
}

/** What may wait: beyond it nothing would start before the code that calls lets go of the thread. */
const MOST_BYTES = 1 << 26;
/** What a task that holds no data counts for. */
const TASK_BYTES = 1024;

export class Backlog {
  private waiting: Task[] = [];
  private bytes = 0;

  /** `onRefused` hears why a task could not be run; those after it are. */
  constructor(private readonly onRefused: (reason: string) => void) {}

  get isEmpty(): boolean {
    return this.waiting.length === 0;
  }

  /** `bytes` are those of the data that the task holds. */
  add(task: Task, bytes = 0): void {
    this.bytes += bytes + TASK_BYTES;
    if (this.waiting.push(task) === 1) void this.drain();
    if (this.bytes > MOST_BYTES) this.settle();
  }

  /** Runs all now: pipelines that are not ready are compiled on this thread. */
  settle(): void {
    for (const { pipeline } of this.waiting) pipeline?.compile();
    this.runReady();
  }

  private async drain(): Promise<void> {
    for (let first = this.waiting[0]; first; first = this.waiting[0]) {
      await first.pipeline?.settled;
      this.runReady();
    }
  }

  private runReady(): void {
    const ready = this.waiting.findIndex(({ pipeline }) => pipeline?.isSettled === false);
    const tasks = this.waiting.splice(0, ready < 0 ? this.waiting.length : ready);
    for (const { run } of tasks) {
      try {
        run();
      } catch (error) {
        this.onRefused(error instanceof Error ? error.message : String(error));
      }
    }
    if (this.isEmpty) this.bytes = 0;
  }
}
