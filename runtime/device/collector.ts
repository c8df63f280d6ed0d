/**
 * @file Has the garbage collector look for tensors that nobody holds. In: how many bytes are live. Out: sometimes a pause,
 * after which their memory is back in the pool. JavaScript's collector sees a tensor as a small object and is in no hurry.
 */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Below this nobody looks. */
const LEAST: Readonly<Record<'gpu' | 'software', number>> = { gpu: 1 << 29, software: 1 << 26 };

export class Collector {
  private next: number;
  private run: (() => void) | undefined;

  constructor(private readonly kind: 'gpu' | 'software') {
    this.next = LEAST[kind];
  }

  /** To be called where the code waits anyway: what a tensor leaves behind is only given back between turns of the event loop. */
  async look(live: () => number): Promise<void> {
    if (live() < this.next) return;
    if (!this.run) {
      setFlagsFromString('--expose-gc');
      this.run = runInNewContext('gc') as () => void;
    }
    this.run();
    await setImmediate();
    this.next = Math.max(LEAST[this.kind], 2 * live());
  }
}
