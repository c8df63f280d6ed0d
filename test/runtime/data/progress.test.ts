/** Progress of loops: the line on a terminal, lines elsewhere, and silence where there is nothing to say. */
import { describe, expect, it, test } from 'vitest';
import { data } from 'jitlens';
import { shown, type ProgressOptions } from '../../../runtime/data/progress.ts';

/** Loops over `count` items, each of which takes `ms`, and gives what was written. */
function run(
  count: number,
  ms: number,
  isTTY: boolean,
  options: ProgressOptions = {},
  each?: (loop: data.Progress, i: number) => void,
) {
  let time = 0;
  const texts: string[] = [];
  const items = Array.from({ length: count }, (_, i) => i);
  const loop = shown(items, options, { isTTY, write: (text) => texts.push(text) }, () => time) as Iterable<number> &
    data.Progress;
  const seen: number[] = [];
  for (const i of loop) {
    seen.push(i);
    each?.(loop, i);
    time += ms;
  }
  expect(seen).toEqual(items);
  return texts;
}

describe('on a terminal', () => {
  it('one line overwrites itself, and its last state stays', () => {
    const texts = run(4, 500, true, { label: 'epoch 1' });
    expect(texts).toEqual([
      '\r\u001b[Kepoch 1  [█████               ] 25 %  1/4  2.0/s  0:02 left',
      '\r\u001b[Kepoch 1  [██████████          ] 50 %  2/4  2.0/s  0:01 left',
      '\r\u001b[Kepoch 1  [███████████████     ] 75 %  3/4  2.0/s  0:01 left',
      '\r\u001b[Kepoch 1  [████████████████████] 100 %  4/4  2.0/s  0:02',
      '\n',
    ]);
  });

  it('is not written more than ten times a second', () => {
    expect(run(1000, 1, true).length).toBeLessThanOrEqual(12);
  });

  it('has a note', () => {
    const texts = run(2, 4_000_000, true, {}, (loop, i) => (loop.note = `loss ${i}`));
    expect(texts[0]).toBe('\r\u001b[K[██████████          ] 50 %  1/2  0.00025/s  1:06:40 left  loss 0');
    expect(texts.at(-2)).toMatch(/2:13:20 {2}loss 1$/);
  });
});

describe('elsewhere', () => {
  it('there is a line now and then', () => {
    expect(run(40, 500, false)).toEqual([
      '[██████████          ] 50 %  20/40  2.0/s  0:10 left\n',
      '[████████████████████] 100 %  40/40  2.0/s  0:20\n',
    ]);
  });
});

test.each([true, false])('a loop that is over soon says nothing (terminal: %s)', (isTTY) => {
  expect(run(5, 10, isTTY)).toEqual([]);
  expect(run(0, 10, isTTY)).toEqual([]);
});

test('without a total there is a count; asynchronous loops and loops that end early are shown too', async () => {
  let time = 0;
  const texts: string[] = [];
  async function* items() {
    for (let i = 0; ; i++) yield await Promise.resolve(i);
  }
  const loop = shown(items(), {}, { isTTY: true, write: (text) => texts.push(text) }, () => time) as AsyncIterable<number>;
  for await (const i of loop) {
    time += 1000;
    if (i === 2) break;
  }
  expect(texts).toEqual(['\r\u001b[K1  1.0/s  0:01', '\r\u001b[K2  1.0/s  0:02', '\r\u001b[K2  0.67/s  0:03', '\n']);
});

test('the sizes of what is looped over are found', async () => {
  expect([...data.progress(new Set([1, 2]))]).toEqual([1, 2]);
  const loader = new data.DataLoader({ length: 3, get: (i) => i }, { batchSize: 2 });
  let count = 0;
  for await (const _ of data.progress(loader, { label: 'batches' })) count++;
  expect(count).toBe(2);
});
