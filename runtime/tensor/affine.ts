/**
 * @file Integer index arithmetic, kept in normal form: constant + Σ coefficient · atom, where an atom is a loop axis, or
 * the quotient or remainder of such a sum. In: axes with known extents. Out: sums that are as simple as their ranges
 * allow, so that a view of a view of a view reads as one expression. Equal expressions have equal keys.
 */

/** A loop variable: 0 ≤ axis < extent. */
export interface Axis {
  readonly kind: 'axis';
  readonly key: string;
  readonly extent: number;
  /** For an extent that varies from call to call: the one that kernels are made for. */
  readonly typical?: number;
}

export type Atom = Axis | { readonly kind: 'div' | 'mod'; readonly key: string; readonly of: Index; readonly by: number };

export interface Term {
  readonly atom: Atom;
  readonly coefficient: number;
}

export interface Index {
  readonly key: string;
  readonly constant: number;
  readonly terms: readonly Term[];
  /** Smallest and largest value over all values of the axes. */
  readonly min: number;
  readonly max: number;
}

/** Holds when lo ≤ index < hi for each of `tests`. */
export interface Condition {
  readonly key: string;
  readonly tests: readonly Test[];
}

export interface Test {
  readonly index: Index;
  readonly lo: number;
  readonly hi: number;
  /** Asked even where it always holds, as it does for some of the extents that vary. */
  readonly isAsked?: boolean;
}

/** The extent is part of the key: axes of one name and different lengths are different axes. */
export function axis(name: string, extent: number, typical?: number): Axis {
  if (typical === undefined) return { kind: 'axis', key: `${name}_${extent}`, extent };
  return { kind: 'axis', key: `${name}_v${extent}`, extent, typical };
}

function make(constant: number, terms: readonly Term[]): Index {
  const kept = terms.filter((t) => t.coefficient !== 0).sort((a, b) => (a.atom.key < b.atom.key ? -1 : 1));
  let min = constant;
  let max = constant;
  let key = String(constant);
  for (const { atom, coefficient } of kept) {
    const [lo, hi] = atomRange(atom);
    min += coefficient * (coefficient > 0 ? lo : hi);
    max += coefficient * (coefficient > 0 ? hi : lo);
    key += `+${coefficient}${atom.key}`;
  }
  return { key, constant, terms: kept, min, max };
}

function atomRange(atom: Atom): readonly [number, number] {
  if (atom.kind === 'axis') return [0, Math.max(0, atom.extent - 1)];
  if (atom.kind === 'mod') return [0, atom.by - 1];
  return [Math.floor(atom.of.min / atom.by), Math.floor(atom.of.max / atom.by)];
}

export function constant(value: number): Index {
  return make(value, []);
}

export function fromAxis(a: Axis): Index {
  return a.extent <= 1 && a.typical === undefined ? constant(0) : make(0, [{ atom: a, coefficient: 1 }]);
}

export function plus(a: Index, b: Index | number): Index {
  if (typeof b === 'number') return b === 0 ? a : make(a.constant + b, a.terms);
  const terms = new Map(a.terms.map((t) => [t.atom.key, t]));
  for (const t of b.terms) {
    const twin = terms.get(t.atom.key);
    terms.set(t.atom.key, { atom: t.atom, coefficient: t.coefficient + (twin?.coefficient ?? 0) });
  }
  return joinQuotients(make(a.constant + b.constant, [...terms.values()]));
}

export function times(a: Index, factor: number): Index {
  if (factor === 1) return a;
  return make(
    a.constant * factor,
    a.terms.map((t) => ({ atom: t.atom, coefficient: t.coefficient * factor })),
  );
}

/** n·(x div n) + (x mod n) is x. */
function joinQuotients(index: Index): Index {
  for (const { atom: rest, coefficient } of index.terms) {
    if (rest.kind !== 'mod') continue;
    const multiples = index.terms.filter((t) => t.atom.kind === 'div' && t.coefficient === coefficient * rest.by);
    if (multiples.length === 0) continue;
    // The quotient may be written otherwise: (x div 4) div 3 is x div 12.
    const { key } = divide(rest.of, rest.by);
    const whole = multiples.find((t) => make(0, [{ atom: t.atom, coefficient: 1 }]).key === key);
    if (!whole) continue;
    const others = make(
      index.constant,
      index.terms.filter((t) => t !== whole && t.atom !== rest),
    );
    return plus(others, times(rest.of, coefficient));
  }
  return index;
}

/** The part of `index` that `by` divides, and what is left. The constant goes where it keeps the rest small. */
function split(index: Index, by: number): { whole: Index; rest: Index } {
  const divisible = index.terms.filter((t) => t.coefficient % by === 0);
  const others = index.terms.filter((t) => t.coefficient % by !== 0);
  const low = ((index.constant % by) + by) % by;
  const whole = make(
    (index.constant - low) / by,
    divisible.map((t) => ({ atom: t.atom, coefficient: t.coefficient / by })),
  );
  return { whole, rest: make(low, others) };
}

/** ⌊index / by⌋. */
export function divide(index: Index, by: number): Index {
  if (by === 1) return index;
  const { whole, rest } = split(index, by);
  return plus(whole, quotient(rest, by));
}

function quotient(rest: Index, by: number): Index {
  const lowest = Math.floor(rest.min / by);
  if (lowest === Math.floor(rest.max / by)) return constant(lowest);
  // A common factor of all coefficients and the divisor cancels: ⌊(g·x + c) / (g·n)⌋ = ⌊(x + ⌊c/g⌋) / n⌋.
  const g = rest.terms.reduce((d, t) => gcd(d, t.coefficient), by);
  if (g > 1) return divide(make(Math.floor(rest.constant / g), scaled(rest.terms, 1 / g)), by / g);
  const [only] = rest.terms;
  // ⌊⌊x / a⌋ / b⌋ = ⌊x / (a·b)⌋.
  if (rest.terms.length === 1 && rest.constant === 0 && only?.coefficient === 1 && only.atom.kind === 'div') {
    return divide(only.atom.of, only.atom.by * by);
  }
  return make(0, [{ atom: { kind: 'div', key: `(${rest.key}/${by})`, of: rest, by }, coefficient: 1 }]);
}

/** index − by · ⌊index / by⌋, which is never negative. */
export function modulo(index: Index, by: number): Index {
  if (by === 1) return constant(0);
  const { rest } = split(index, by);
  if (rest.min >= 0 && rest.max < by) return rest;
  const [only] = rest.terms;
  if (rest.terms.length === 1 && rest.constant === 0 && only && only.coefficient === 1) {
    // (x mod a) mod b = x mod b when b divides a.
    if (only.atom.kind === 'mod' && only.atom.by % by === 0) return modulo(only.atom.of, by);
  }
  return make(0, [{ atom: { kind: 'mod', key: `(${rest.key}%${by})`, of: rest, by }, coefficient: 1 }]);
}

const scaled = (terms: readonly Term[], factor: number): Term[] =>
  terms.map((t) => ({ atom: t.atom, coefficient: Math.round(t.coefficient * factor) }));

function gcd(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y) [x, y] = [y, x % y];
  return x;
}

/** The condition that all of `tests` hold; undefined when they always do, 'never' when one cannot. */
export function condition(tests: readonly Test[]): Condition | undefined | 'never' {
  const open = tests.filter((t) => t.isAsked === true || !(t.index.min >= t.lo && t.index.max < t.hi));
  if (open.some((t) => t.isAsked !== true && (t.index.max < t.lo || t.index.min >= t.hi))) return 'never';
  if (open.length === 0) return undefined;
  return { key: open.map((t) => `${t.lo}<=${t.index.key}<${t.hi}`).join('&'), tests: open };
}

/** The index with each axis replaced by what `to` gives for it. */
export function substitute(index: Index, to: (a: Axis) => Index | undefined): Index {
  let out = constant(index.constant);
  for (const { atom, coefficient } of index.terms) out = plus(out, times(substituteAtom(atom, to), coefficient));
  return out;
}

function substituteAtom(atom: Atom, to: (a: Axis) => Index | undefined): Index {
  if (atom.kind === 'axis') return to(atom) ?? fromAxis(atom);
  const of = substitute(atom.of, to);
  return atom.kind === 'div' ? divide(of, atom.by) : modulo(of, atom.by);
}

/** Adds the axes that `index` depends on to `found`. */
export function collectAxes(index: Index, found: Map<string, Axis>): void {
  for (const { atom } of index.terms) {
    if (atom.kind === 'axis') found.set(atom.key, atom);
    else collectAxes(atom.of, found);
  }
}

/** Its value where `at` gives the axes' values. */
export function evaluate(index: Index, at: (key: string) => number): number {
  let sum = index.constant;
  for (const { atom, coefficient } of index.terms) {
    if (atom.kind === 'axis') sum += coefficient * at(atom.key);
    else {
      const of = evaluate(atom.of, at);
      const floor = Math.floor(of / atom.by);
      sum += coefficient * (atom.kind === 'div' ? floor : of - floor * atom.by);
    }
  }
  return sum;
}

/** The multi-index of flat position `flat` in a row-major tensor of `shape`. */
export function unflatten(flat: Index, shape: readonly number[]): Index[] {
  const out: Index[] = [];
  let rest = flat;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d] ?? 1;
    out.unshift(d === 0 ? rest : modulo(rest, size));
    rest = divide(rest, size);
  }
  return out;
}

/** offset + Σ index · stride. */
export function flatten(indices: readonly Index[], strides: readonly number[], offset = 0): Index {
  return indices.reduce((sum, index, d) => plus(sum, times(index, strides[d] ?? 0)), constant(offset));
}
