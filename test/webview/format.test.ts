/** @file Figures as text: units, the clock's step, absent values. */
import { describe, expect, it } from 'vitest';
import {
  ABSENT,
  bytes,
  clockTime,
  flops,
  gigaPerSecond,
  milliseconds,
  percent,
  place,
  range,
  relativeError,
  shapeText,
} from '../../webview/model/format.ts';

/** With ordinary spaces, so that the expectations can be read. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('times', () => {
  it.each([
    [0.0000271, '27.1 ns'],
    [0.0272, '27.2 µs'],
    [0.99999, '1.00 ms'],
    [1.93, '1.93 ms'],
    [412, '412 ms'],
    [12_345, '12.3 s'],
  ])('%d ms reads %s', (ms, text) => expect(plain(milliseconds(ms))).toBe(text));

  it('is a bound below the step of the clock, never 0', () => {
    expect(plain(clockTime(0.0004, 1000))).toBe('< 1.00 µs');
    expect(plain(clockTime(0, 1000))).toBe('< 1.00 µs');
    expect(plain(clockTime(0.002, 1000))).toBe('2.00 µs');
  });

  it('is a dash when absent', () => {
    expect(milliseconds(undefined)).toBe(ABSENT);
    expect(clockTime(undefined, 1000)).toBe(ABSENT);
  });

  it('names the unit of a range once', () => {
    expect(plain(range(0.0501, 0.0587))).toBe('50.1–58.7 µs');
    expect(plain(range(0.95, 1.1))).toBe('950 µs – 1.10 ms');
  });
});

describe('amounts', () => {
  it('scales', () => {
    expect(plain(bytes(0))).toBe('0 B');
    expect(plain(bytes(999.9e3))).toBe('1.00 MB');
    expect(plain(bytes(19.92e6))).toBe('19.9 MB');
    expect(plain(flops(239.1e6))).toBe('239 MFLOP');
    expect(bytes(undefined)).toBe(ABSENT);
  });

  it('gives rates only where there is a time', () => {
    expect(plain(gigaPerSecond(19.92e6, 0.0272, 'B'))).toBe('732 GB/s');
    expect(plain(gigaPerSecond(1.34e9, 0.0412, 'FLOP'))).toBe('32.5 TFLOP/s');
    expect(gigaPerSecond(1, undefined, 'B')).toBe(ABSENT);
    expect(gigaPerSecond(1, 0, 'FLOP')).toBe(ABSENT);
  });

  it('writes shares, shapes, errors and places', () => {
    expect(plain(percent(0.0004))).toBe('< 0.1 %');
    expect(plain(percent(0.084))).toBe('8.4 %');
    expect(plain(percent(1))).toBe('100 %');
    expect(percent(Number.NaN)).toBe(ABSENT);
    expect(shapeText({ shape: [] })).toBe('scalar');
    expect(shapeText({ shape: [1, 3] })).toBe('[1, 3]');
    expect(relativeError(0)).toBe('exact');
    expect(relativeError(2.44e-7)).toBe('2.4e-7');
    expect(place({ file: 'C:\\a\\b.ts', line: 3, column: 1 })).toBe('b.ts:3');
  });
});
