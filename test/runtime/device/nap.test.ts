/** Waiting without spinning: what is waited for comes through as it is, and other code goes on meanwhile. */
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { withoutSpinning } from '../../../runtime/device/nap.ts';

afterEach(() => vi.restoreAllMocks());

test('gives the value, or the error', async () => {
  expect(await withoutSpinning(Promise.resolve(5))).toBe(5);
  expect(await withoutSpinning(setTimeout(20, 'late'))).toBe('late');
  await expect(withoutSpinning(Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(withoutSpinning(setTimeout(20).then(() => Promise.reject(new Error('late no'))))).rejects.toThrow('late no');
});

test('other code has a turn between any two naps, which are short', async () => {
  const nap = vi.spyOn(Atomics, 'wait');
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await withoutSpinning(setTimeout(100));
  isOver = true;
  const lengths = nap.mock.calls.map(([, , , ms]) => ms ?? Infinity);
  expect(lengths.length).toBeGreaterThan(2);
  expect(Math.abs(turns - lengths.length)).toBeLessThanOrEqual(2);
  expect(lengths.every((ms) => ms > 0 && ms <= 2)).toBe(true);
});
