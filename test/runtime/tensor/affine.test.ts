/** Index arithmetic: whatever is simplified, values and bounds are those of plain evaluation. */
import { describe, expect, test } from 'vitest';
import {
  axis,
  condition,
  constant,
  divide,
  evaluate,
  flatten,
  fromAxis,
  modulo,
  plus,
  substitute,
  times,
  unflatten,
  type Axis,
  type Index,
} from '../../../runtime/tensor/affine.ts';
import { positions } from '../support/arrange.ts';
import { Random } from '../support/random.ts';

const AXES = [axis('a', 4), axis('b', 3), axis('c', 5), axis('one', 1)];
const PLACES = positions(AXES.map((a) => a.extent));
const RUNS = 1500;

/** An expression built by the library, and the same built of plain numbers. */
interface Pair {
  readonly index: Index;
  readonly value: (at: readonly number[]) => number;
  readonly text: string;
}

// Adding 0 makes −0 the 0 that it is here.
const floorDiv = (x: number, by: number) => Math.floor(x / by);
const floorMod = (x: number, by: number) => x - by * Math.floor(x / by);
const lookUp =
  (at: readonly number[], axes: readonly Axis[] = AXES) =>
  (key: string) =>
    at[axes.findIndex((a) => a.key === key)] ?? NaN;

function randomPair(random: Random, depth: number): Pair {
  const leaf = (): Pair => {
    const i = random.whole(0, AXES.length);
    const a = AXES[i];
    if (a) return { index: fromAxis(a), value: (at) => at[i] ?? NaN, text: a.key };
    const n = random.whole(-7, 7);
    return { index: constant(n), value: () => n, text: String(n) };
  };
  if (depth === 0) return leaf();
  const x = randomPair(random, depth - 1);
  switch (random.whole(0, 5)) {
    case 0:
    case 1: {
      const y = randomPair(random, depth - 1);
      return { index: plus(x.index, y.index), value: (at) => x.value(at) + y.value(at), text: `(${x.text} + ${y.text})` };
    }
    case 2: {
      const n = random.whole(-6, 6);
      return { index: times(x.index, n), value: (at) => n * x.value(at), text: `${n}·${x.text}` };
    }
    case 3: {
      const by = random.whole(1, 7);
      return { index: divide(x.index, by), value: (at) => floorDiv(x.value(at), by), text: `⌊${x.text} / ${by}⌋` };
    }
    case 4: {
      const by = random.whole(1, 7);
      return { index: modulo(x.index, by), value: (at) => floorMod(x.value(at), by), text: `(${x.text} mod ${by})` };
    }
    default: {
      const n = random.whole(-9, 9);
      return { index: plus(x.index, n), value: (at) => x.value(at) + n, text: `(${x.text} + ${n})` };
    }
  }
}

describe('random expressions', () => {
  const random = new Random(11);
  const pairs = Array.from({ length: RUNS }, () => randomPair(random, random.whole(1, 6)));

  test('have the values of plain arithmetic, within their bounds', () => {
    for (const { index, value, text } of pairs) {
      const values = PLACES.map((at) => value(at)).map((v) => v + 0);
      expect(
        PLACES.map((at) => evaluate(index, lookUp(at)) + 0),
        text,
      ).toEqual(values);
      expect(index.min, text).toBeLessThanOrEqual(Math.min(...values));
      expect(index.max, text).toBeGreaterThanOrEqual(Math.max(...values));
    }
  });

  test('are equal where their keys are', () => {
    const seen = new Map<string, Pair>();
    for (const pair of pairs) {
      const twin = seen.get(pair.index.key);
      seen.set(pair.index.key, pair);
      if (twin) for (const at of PLACES) expect(pair.value(at) + 0, `${pair.text} = ${twin.text}`).toBe(twin.value(at) + 0);
    }
  });

  test('keep their values when axes are replaced', () => {
    for (const { index, value, text } of pairs) {
      const by = randomPair(random, 2);
      // Only where the replacement stays inside the axis.
      const [a] = AXES;
      if (!a || by.index.min < 0 || by.index.max >= a.extent) continue;
      const replaced = substitute(index, (x) => (x.key === a.key ? by.index : undefined));
      for (const at of PLACES) {
        const wanted = value([by.value(at), ...at.slice(1)]);
        expect(evaluate(replaced, lookUp(at)) + 0, `${text} with a = ${by.text}`).toBe(wanted + 0);
      }
    }
  });

  test('hold a condition where plain comparison does', () => {
    for (const [n, { index, value, text }] of pairs.entries()) {
      const other = pairs[(n + 1) % pairs.length] ?? pairs[0];
      if (!other) continue;
      const [lo, length] = [random.whole(-5, 5), random.whole(0, 8)];
      const made = condition([
        { index, lo, hi: lo + length },
        { index: other.index, lo: -20, hi: 20 },
      ]);
      for (const at of PLACES) {
        const wanted = value(at) >= lo && value(at) < lo + length && other.value(at) >= -20 && other.value(at) < 20;
        const got =
          made !== 'never' &&
          (made?.tests ?? []).every((t) => {
            const v = evaluate(t.index, lookUp(at));
            return v >= t.lo && v < t.hi;
          });
        expect(got, `${lo} ≤ ${text} < ${lo + length}`).toBe(wanted);
      }
    }
  });
});

describe('flat positions', () => {
  test.each([[[2, 3, 4]], [[1, 5]], [[7]], [[]], [[3, 1, 2, 1]], [[2, 2, 2, 2]]])(
    'of %j are taken apart and put together',
    (shape) => {
      const total = shape.reduce((n, size) => n * size, 1);
      const flat = axis('f', total);
      const parts = unflatten(fromAxis(flat), shape);
      positions(shape).forEach((at, i) => expect(parts.map((p) => evaluate(p, () => i))).toEqual(at));
      const strides = shape.map((_, d) => shape.slice(d + 1).reduce((n, size) => n * size, 1));
      // What was taken apart and put together is the position itself, not an expression of quotients.
      expect(flatten(parts, strides).key).toBe(fromAxis(flat).key);
    },
  );

  test('of one shape under another', () => {
    const axes = [axis('i', 4), axis('j', 6)];
    const flat = flatten(axes.map(fromAxis), [6, 1]);
    const parts = unflatten(flat, [3, 8]);
    for (const [i = 0, j = 0] of positions([4, 6])) {
      const at = lookUp([i, j], axes);
      expect(parts.map((p) => evaluate(p, at))).toEqual([Math.floor((6 * i + j) / 8), (6 * i + j) % 8]);
    }
  });
});

describe('what is simplified', () => {
  const [a, b] = [fromAxis(axis('a', 4)), fromAxis(axis('b', 3))];
  test.each([
    ['(3a + b) / 3 = a', divide(plus(times(a, 3), b), 3), a],
    ['(3a + b) mod 3 = b', modulo(plus(times(a, 3), b), 3), b],
    ['3·((a+b) / 3) + (a+b) mod 3 = a+b', plus(times(divide(plus(a, b), 3), 3), modulo(plus(a, b), 3)), plus(a, b)],
    ['a / 4 = 0', divide(a, 4), constant(0)],
    ['(a − 4) / 4 = −1', divide(plus(a, -4), 4), constant(-1)],
    ['(a mod 6) mod 3 = a mod 3', modulo(modulo(a, 6), 3), modulo(a, 3)],
    ['(a / 2) / 2 = a / 4', divide(divide(plus(a, b), 2), 2), divide(plus(a, b), 4)],
    ['a − a = 0', plus(a, times(a, -1)), constant(0)],
    ['an axis of one position is 0', fromAxis(axis('x', 1)), constant(0)],
  ])('%s', (_name, got, wanted) => {
    expect(got.key).toBe(wanted.key);
  });
});
