/**
 * @file The text of sums. In: sums, and what writes values into scopes. Out: loops that a thread runs alone, one for all sums
 * over the same axes, or that the threads of a workgroup share. Long sums are added up in parts.
 */
import type { Axis } from '../tensor/affine.ts';
import { outermostSums } from './axes.ts';
import { cutOf } from './cuts.ts';
import { combined, type Expr, type Sum } from './expr.ts';
import { extentOf, typicalOf } from './extents.ts';
import { fold } from './fold.ts';
import { atPosition, type Schedule } from './schedule.ts';
import { Scope } from './scope.ts';
import type { SharePlan } from './share.ts';
import type { Writer } from './writer.ts';

export class SumText {
  constructor(
    private readonly w: Writer,
    private readonly plan: Schedule,
  ) {}

  /** Computes the sums, each in the outermost scope that can, with one loop for those over the same axes. */
  write(scope: Scope, sums: readonly Sum[]): void {
    const { share } = this.plan;
    const open = sums.filter((s) => scope.find(s) === undefined);
    for (const home of new Set(open.map((s) => scope.home(s.free)))) {
      for (const family of byAxes(open.filter((s) => scope.home(s.free) === home))) {
        if (share) this.sharedLoop(home, family, share);
        else this.serialLoop(home, family);
      }
    }
  }

  private serialLoop(scope: Scope, family: readonly Sum[]): void {
    const [first] = family;
    if (first) {
      const totals = family.map((s) => this.accumulator(scope, s));
      const looped = first.axes.filter((a) => !this.plan.unrolled.has(a.key));
      const unrolled = first.axes.filter((a) => this.plan.unrolled.has(a.key));
      const cut = cutOf(
        family,
        looped.map((a) => typicalOf([a])),
        typicalOf(unrolled),
      );
      const parts = cut ? family.map((s) => this.part(scope, s)) : totals;
      const loops = looped.map((a) => ({ a, scope: new Scope(scope) }));
      let inner = scope;
      for (const loop of loops) {
        loop.scope.parent = inner;
        loop.scope.bound.add(loop.a.key);
        inner = loop.scope;
      }
      this.terms(
        inner,
        family.map((s) => s.body),
        unrolled,
        (values) => family.forEach((s, i) => this.accumulate(inner, s, parts[i] ?? '', values[i] ?? '')),
      );
      for (const [level, { a, scope: loop }] of [...loops.entries()].reverse()) {
        if (cut?.level === level) this.intoTotals(loop, a.key, cut.every, totals, parts);
        loop.parent?.block(`for (var ${a.key} = 0; ${a.key} < ${this.w.p.int(a.extent)}; ${a.key}++) {`, loop);
      }
      if (cut) family.forEach((s, i) => scope.line(`${totals[i] ?? ''} += ${parts[i] ?? ''};`, s.origin));
    }
  }

  part(scope: Scope, sum: Sum): string {
    const name = this.w.name('part');
    scope.line(`var ${name} = 0.0;`, sum.origin);
    return name;
  }

  /** Every so many rounds (a power of two), parts go into the totals and start anew. */
  intoTotals(loop: Scope, round: string, every: number, totals: readonly string[], parts: readonly string[]): void {
    const last = this.w.p.int(every - 1);
    const moves = totals.map((total, i) => `${total} += ${parts[i] ?? ''}; ${parts[i] ?? ''} = 0.0;`);
    loop.line(`if ((${round} & ${last}) == ${last}) { ${moves.join(' ')} }`);
  }

  /** Calls `use` with the bodies' values at every position of the unrolled axes, in order. */
  private terms(scope: Scope, bodies: readonly Expr[], unrolled: readonly Axis[], use: (values: string[]) => void): void {
    const [a, ...rest] = unrolled;
    if (!a) {
      this.write(scope, outermostSums(bodies));
      use(bodies.map((body) => this.w.value(body, scope)));
      return;
    }
    for (let i = 0; i < a.extent; i++) {
      const here = atPosition(this.plan.nest, a, i);
      const placed = bodies.map(here);
      for (const body of placed) this.w.recount(body);
      this.terms(scope, placed, rest, use);
    }
  }

  accumulator(scope: Scope, sum: Sum): string {
    const name = this.w.name('sum');
    sum.combiner.prelude?.forEach((f) => this.w.preludes.add(f));
    scope.line(`var ${name} = ${this.w.literal(sum.combiner.identity, sum.type)};`, sum.origin);
    scope.names.set(sum, name);
    return name;
  }

  accumulate(scope: Scope, sum: Sum, total: string, value: string): void {
    const next = sum.combiner.name === 'sum' ? `${total} += ${value}` : `${total} = ${combined(sum, total, value)}`;
    scope.line(`${next};`, sum.body.origin);
  }

  /** Every lane adds up its share, several terms in a round; then the lanes of each column fold theirs. */
  private sharedLoop(scope: Scope, family: readonly Sum[], { lanes, columns, written }: SharePlan): void {
    const [first] = family;
    if (!first) return;
    const { w } = this;
    const totals = family.map((s) => this.accumulator(scope, s));
    const [terms, usual] = [extentOf(first.axes), typicalOf(first.axes)];
    const each = usual >= written * lanes ? written : 1;
    const cut = cutOf(family, [Math.ceil(usual / (lanes * each))], each);
    const parts = cut ? family.map((s) => this.part(scope, s)) : totals;
    const loop = new Scope(scope);
    const whole = w.p.fixed(first.axes) && terms % (lanes * each) === 0;
    for (let i = 0; i < each; i++) {
      const one = new Scope(loop);
      const place = i === 0 ? 'q0' : `q0 + ${i * lanes}`;
      const guard = i === 0 || whole ? undefined : `${place} < ${w.p.int(terms)}`;
      // Behind the last term that one is read again, and not added: loads under a condition would wait for each other.
      one.line(`let q = ${guard ? `min(${place}, ${w.p.int(terms - 1, true)})` : place};`);
      w.decode(one, first.axes, 'q');
      family.forEach((s, j) => {
        const value = w.value(s.body, one);
        const term = guard ? `select(${w.literal(s.combiner.identity, s.type)}, ${value}, ${guard})` : value;
        this.accumulate(one, s, parts[j] ?? '', term);
      });
      loop.block('{', one);
    }
    if (cut) this.intoTotals(loop, `(q0 / ${lanes * each})`, cut.every, totals, parts);
    scope.block(`for (var q0 = lane; q0 < ${w.p.int(terms)}; q0 += ${lanes * each}) {`, loop);
    if (cut) family.forEach((s, i) => scope.line(`${totals[i] ?? ''} += ${parts[i] ?? ''};`, s.origin));
    const place = columns === 1 ? '0u' : `local % ${columns}u`;
    const sharers = { lanes, lane: 'lane', step: columns, first: place, threads: lanes * columns };
    family.forEach((s, i) => fold(w, scope, s, totals[i] ?? '', sharers));
  }
}

function byAxes(sums: readonly Sum[]): readonly (readonly Sum[])[] {
  const families = new Map<string, Sum[]>();
  for (const sum of sums) {
    const key = sum.axes.map((a) => a.key).join();
    families.set(key, [...(families.get(key) ?? []), sum]);
  }
  return [...families.values()];
}
