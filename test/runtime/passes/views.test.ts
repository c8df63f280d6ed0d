/** What passes know of views, against brute force: boxes, overlaps, and the way back from a place to an element. */
import { describe, expect, test } from 'vitest';
import { inverse } from '../../../runtime/kernels/lower.ts';
import { boxOf, overlap } from '../../../runtime/passes/views.ts';
import { axis, evaluate, fromAxis } from '../../../runtime/tensor/affine.ts';
import { contiguous, type Layout } from '../../../runtime/tensor/layout.ts';
import { numel } from '../../../runtime/tensor/shape.ts';
import { positions } from '../support/arrange.ts';
import { places, randomShape, randomView } from '../support/layouts.ts';
import { Random } from '../support/random.ts';

const RUNS = 4000;

function viewsOf(random: Random, base: readonly number[], repeat = true): Layout {
  let layout = contiguous(base);
  for (let steps = random.whole(0, 4); steps > 0; steps--) layout = randomView(random, layout, repeat);
  return layout;
}

describe('boxes and overlaps of random views', () => {
  const random = new Random(23);
  const cases = Array.from({ length: RUNS }, () => {
    const base = randomShape(random, random.whole(1, 4));
    const a = viewsOf(random, base);
    return { base, a, b: random.whole(0, 9) === 0 ? { ...a, offset: a.offset } : viewsOf(random, base) };
  });

  test('a box holds every element of its view, and its corners are reached', () => {
    let found = 0;
    for (const { base, a } of cases) {
      const box = boxOf(a, base);
      if (!box) continue;
      found++;
      const all = positions(base);
      const reached = places(a).map((p) => all[p] ?? []);
      box.forEach(([from, to], d) => {
        const along = reached.map((at) => at[d] ?? NaN);
        expect([Math.min(...along), Math.max(...along)], JSON.stringify({ base, a })).toEqual([from, to]);
      });
    }
    expect(found).toBeGreaterThan(RUNS / 4);
  });

  test('views called disjoint share nothing, views called equal are', () => {
    const counts = { equal: 0, disjoint: 0, unknown: 0 };
    for (const { base, a, b } of cases) {
      const how = overlap(a, b, base);
      counts[how]++;
      const what = JSON.stringify({ base, a, b });
      if (how === 'disjoint')
        expect(
          places(a).filter((p) => places(b).includes(p)),
          what,
        ).toEqual([]);
      if (how === 'equal') expect([places(a), a.shape], what).toEqual([places(b), b.shape]);
    }
    expect(counts.disjoint).toBeGreaterThan(40);
    expect(counts.equal).toBeGreaterThan(100);
  });
});

describe('the way back', () => {
  test('from each place of the base leads to the element that lies there, or to none', () => {
    const random = new Random(29);
    let found = 0;
    for (let run = 0; run < RUNS; run++) {
      const base = randomShape(random, random.whole(1, 4));
      const layout = viewsOf(random, base, random.whole(0, 3) === 0);
      const flat = axis('f', numel(base));
      const back = inverse(layout, fromAxis(flat));
      const lies = places(layout);
      const what = JSON.stringify({ base, layout });
      if (!back) continue;
      found++;
      expect(new Set(lies).size, what).toBe(lies.length);
      const elements = positions(layout.shape);
      for (let place = 0; place < numel(base); place++) {
        const value = (x: Parameters<typeof evaluate>[0]) => evaluate(x, () => place);
        const { inside } = back;
        const there = inside !== 'never' && (inside?.tests ?? []).every((t) => value(t.index) >= t.lo && value(t.index) < t.hi);
        const at = lies.indexOf(place);
        expect(there, `${what} at ${place}`).toBe(at >= 0);
        if (at >= 0) expect(back.index.map(value), `${what} at ${place}`).toEqual(elements[at]);
      }
    }
    expect(found).toBeGreaterThan(RUNS / 2);
  });

  test('is refused where places repeat', () => {
    const flat = fromAxis(axis('f', 12));
    expect(inverse({ shape: [3, 2], strides: [1, 1], offset: 0 }, flat)).toBeUndefined();
    expect(inverse({ shape: [3, 2], strides: [0, 1], offset: 0 }, flat)).toBeUndefined();
  });
});
