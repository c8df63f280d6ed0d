/** @file Advice as it is shown: the same of several lines is one entry, and what is said of lines is apart. */
import { expect, it } from 'vitest';
import { adviceOf } from '../../webview/model/advice.ts';
import { at, profile } from '../fixtures/builder.ts';

const wait = (line: number, column = 3) => ({ severity: 'info' as const, message: 'The run waits.', span: at(line, column) });

it('says once where a run waits, each line once', () => {
  const { ofRun, others } = adviceOf(profile({ advice: [wait(4), wait(4, 9), wait(7)] }));
  expect(ofRun).toEqual([{ severity: 'info', message: 'The run waits.', kernel: undefined, spans: [at(4, 3), at(7, 3)] }]);
  expect(others).toEqual([]);
});

it('keeps what is said of kernels, and of no place, apart', () => {
  const device = { severity: 'info', message: 'No GPU was used.' } as const;
  const slow = { severity: 'warning', message: 'Slow.', kernel: 'k0', span: at(3) } as const;
  const { ofRun, others } = adviceOf(profile({ advice: [device, wait(4), slow, { ...slow, kernel: 'k1' }] }));
  expect(ofRun.map(({ spans }) => spans)).toEqual([[at(4, 3)]]);
  expect(others.map(({ kernel, spans }) => [kernel, spans.length])).toEqual([
    [undefined, 0],
    ['k0', 1],
    ['k1', 1],
  ]);
});
