/** Kernels that run side by side: which may, which must wait, and that what comes out is right on the schedules of a GPU too. */
import { describe, expect, test } from 'vitest';
import type { DeviceKind } from '../../../runtime/profile/model.ts';
import { boundBy, type Section } from '../../../runtime/kernels/kernel.ts';
import { Builder } from '../../../runtime/kernels/expr.ts';
import type { Schedule } from '../../../runtime/kernels/schedule.ts';
import { sideBySide } from '../../../runtime/passes/side-by-side.ts';
import { axis } from '../../../runtime/tensor/affine.ts';
import { Random } from '../support/random.ts';

interface Fake {
  readonly name: string;
  readonly section: Section<object>;
}

interface Spec {
  /** Names of storages. */
  readonly reads?: string;
  readonly stores?: string;
  readonly positions?: number;
  readonly threads?: number;
  readonly more?: Partial<Schedule>;
}

/** Kernels over storages that have one letter each; capital letters are read from a byte that is not the first. */
function program(specs: Readonly<Record<string, Spec>>): Fake[] {
  const storages = new Map<string, object>();
  const storageOf = (letter: string) => {
    const known = storages.get(letter.toLowerCase()) ?? {};
    storages.set(letter.toLowerCase(), known);
    return known;
  };
  return Object.entries(specs).map(([name, { reads = '', stores = name, positions = 100, threads = 64, more }]) => {
    const binding = (letter: string, writable: boolean) => {
      const offset = letter === letter.toLowerCase() ? 0 : 256;
      return { storage: storageOf(letter), offset, writable, dtype: 'float32' as const };
    };
    const read = Array.from(reads)
      .filter((letter) => !stores.includes(letter))
      .map((letter) => binding(letter, false));
    const nest = { axes: [axis('o0', positions)], stores: [], builder: new Builder() };
    const schedule = { kind: 'thread per element' as const, nest, workgroupSize: threads, unrolled: new Set<string>(), tile: 1 };
    const section = {
      schedule: { ...schedule, ...more },
      bindings: [...Array.from(stores, (letter) => binding(letter, true)), ...read],
      slots: [],
    };
    return { name, section };
  });
}

function steps(specs: Readonly<Record<string, Spec>>, tensors = 16, device: DeviceKind = 'gpu'): string {
  return sideBySide(program(specs), { tensors, device })
    .map((step) => step.map((k) => k.name).join('+'))
    .join(' ');
}

/** Fills a device. */
const large = { positions: 1 << 20 };

describe('kernels run side by side', () => {
  test.each<[string, Readonly<Record<string, Spec>>, string]>([
    ['that have nothing to do with each other', { a: {}, b: {}, c: {} }, 'a+b+c'],
    ['that read the same', { a: { reads: 'x' }, b: { reads: 'x' } }, 'a+b'],
    ['but one of them reads what the other stores', { a: {}, b: { reads: 'a' } }, 'a b'],
    ['but one needs the other through a third', { a: {}, b: { reads: 'a', ...large }, c: { reads: 'b' } }, 'a b c'],
    ['though a third that stands between needs one', { a: {}, b: { reads: 'a', ...large }, c: { reads: 'x' } }, 'a+c b'],
    ['though one needs a third that stands between', { a: {}, b: large, c: { reads: 'b' } }, 'b a+c'],
    [
      'but a third needs one and is needed by the other',
      { a: {}, b: { reads: 'a', ...large }, c: { reads: 'b', ...large }, d: { reads: 'c' } },
      'a b c d',
    ],
    [
      'not where what was delayed is needed before',
      { a: {}, b: large, c: { reads: 'b' }, d: { reads: 'a', ...large }, e: { reads: 'd' } },
      'b a+c d e',
    ],
    ['but one replaces what the other reads', { a: { reads: 'x' }, b: { stores: 'x' } }, 'a b'],
    ['but one reads what the other has replaced', { b: { stores: 'x' }, a: { reads: 'x' } }, 'b a'],
    ['but both replace one thing, each its part', { a: { stores: 'x' }, b: { stores: 'x' } }, 'a b'],
    [
      'not before a third has read what one replaces',
      { a: {}, b: { reads: 'ax', ...large }, c: { reads: 'y', stores: 'x' } },
      'a b c',
    ],
    ['but one fills the device', { a: {}, b: large, c: {} }, 'a+c b'],
    ['up to eight', Object.fromEntries(Array.from('abcdefghij').map((name) => [name, {}])), 'a+b+c+d+e+f+g+h i+j'],
  ])('%s', (_, specs, wanted) => {
    expect(steps(specs)).toBe(wanted);
  });

  test.each<[string, Spec, Spec, number, string]>([
    ['as many as a kernel can bind', { reads: 'xyz' }, { reads: 'uvw' }, 8, 'a+b'],
    ['not more', { reads: 'xyz' }, { reads: 'uvw' }, 7, 'a b'],
    ['what both read counts once', { reads: 'xyz' }, { reads: 'xyw' }, 6, 'a+b'],
    ['but where they read it from different places', { reads: 'xyz' }, { reads: 'Xyz' }, 5, 'a b'],
    ['but where they read it from different places: twice', { reads: 'xyz' }, { reads: 'Xyz' }, 6, 'a+b'],
  ])('that bind %s', (_, a, b, tensors, wanted) => {
    expect(steps({ a, b }, tensors)).toBe(wanted);
  });

  test('when they stand near each other', () => {
    const between = (count: number) => {
      const chain = Array.from({ length: count }, (_, i) => [`(${i})`, { reads: 'q', stores: 'q', ...large }] as const);
      return steps({ a: { reads: 'x' }, ...Object.fromEntries(chain), b: { reads: 'y' } }).startsWith('a+b');
    };
    expect([between(15), between(40)]).toEqual([true, false]);
  });

  test('on a CPU when they are smaller', () => {
    const specs = { a: { positions: 1 << 13 }, b: { positions: 1 << 13 } };
    expect([steps(specs), steps(specs, 16, 'software'), steps(specs, 16, 'reference')]).toEqual(['a+b', 'a b', 'a b']);
  });
});

/** Why the steps are not a right order of the kernels, looked at pair by pair. */
function wrong(kernels: readonly Fake[], made: readonly (readonly Fake[])[], tensors: number): string | undefined {
  const stepOf = new Map(made.flatMap((step, i) => step.map((k) => [k.name, i] as const)));
  if (stepOf.size !== kernels.length || made.flat().length !== kernels.length) return 'a kernel is left out, or runs twice';
  for (const [i, second] of kernels.entries()) {
    for (const first of kernels.slice(0, i)) {
      const clash = first.section.bindings.some((a) =>
        second.section.bindings.some((b) => a.storage === b.storage && (a.writable || b.writable)),
      );
      const [before, after] = [stepOf.get(first.name) ?? 0, stepOf.get(second.name) ?? 0];
      if (clash && before >= after) return `${first.name} in step ${before} must run before ${second.name} in step ${after}`;
    }
  }
  for (const step of made) {
    if (step.length > 1 && boundBy(step.map((k) => k.section)).length > tensors) return 'a step binds too much';
    if (new Set(step.map((k) => k.section.schedule.workgroupSize)).size > 1) return 'workgroups of a step differ in size';
  }
  return undefined;
}

test('random programs keep their order where it matters', () => {
  let merged = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const random = new Random(seed);
    const letters = Array.from('abcdefghijkl').slice(0, random.whole(3, 12));
    const some = (most: number) => Array.from({ length: random.whole(0, most) }, () => random.pick(letters)).join('');
    const specs = Array.from({ length: random.whole(2, 30) }, (_, i): [string, Spec] => [
      `k${i}`,
      {
        reads: some(3),
        stores: random.pick(letters),
        threads: random.pick([64, 128, 256]),
        ...(random.whole(0, 4) === 0 ? large : {}),
      },
    ]);
    const tensors = random.whole(4, 10);
    const kernels = program(Object.fromEntries(specs));
    const made = sideBySide(kernels, { tensors, device: 'gpu' });
    expect(wrong(kernels, made, tensors), `seed ${seed}: ${JSON.stringify(specs)}`).toBeUndefined();
    merged += kernels.length - made.length;
  }
  expect(merged).toBeGreaterThan(1000);
});
