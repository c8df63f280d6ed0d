/**
 * @file Waiting for a device that is the CPU itself. In: what is waited for. Out: the same. While anything is under way Dawn looks
 * for it at every turn of the event loop, which takes a whole core, and the device needs that one: so the turns are slowed down.
 */
import { setImmediate } from 'node:timers/promises';

/** Part of the wait by which it may be late, and the longest that other code is held up. */
const LATE = 1 / 16;
const LONGEST_MS = 2;

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

export async function withoutSpinning<T>(wanted: Promise<T>): Promise<T> {
  const state = { isOver: false };
  const over = () => void (state.isOver = true);
  wanted.then(over, over);
  const start = performance.now();
  await setImmediate();
  while (!state.isOver) {
    Atomics.wait(nobodyWakes, 0, 0, Math.min(LONGEST_MS, LATE * (performance.now() - start)));
    await setImmediate();
  }
  return wanted;
}
