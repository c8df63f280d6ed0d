/**
 * @file The text of a kernel by rows. In: rows and the threads of each, and what writes values. Out: the lines: each sum of
 * a row, in order, its threads' shares folded in shared memory; then the stores. All threads of a workgroup meet in every
 * barrier: those without a row of their own go along with the last row, and store nothing.
 */
import { axis, condition, fromAxis, plus, substitute, times, type Axis, type Index } from '../tensor/affine.ts';
import { replaceAxes } from './axes.ts';
import { cutOf } from './cuts.ts';
import type { Sum } from './expr.ts';
import { typicalOf } from './extents.ts';
import { fold, type Sharers } from './fold.ts';
import { QUAD } from './quads.ts';
import type { RowPlan } from './rows.ts';
import { Scope } from './scope.ts';
import type { SumText } from './sums.ts';
import type { Writer } from './writer.ts';

export function writeRows(w: Writer, sums: SumText, body: Scope, plan: RowPlan): void {
  new RowText(w, sums, body, plan).write();
}

class RowText {
  private readonly lane: Axis;

  constructor(
    private readonly w: Writer,
    private readonly sums: SumText,
    private readonly body: Scope,
    private readonly plan: RowPlan,
  ) {
    this.lane = axis('lane', plan.lanes);
  }

  write(): void {
    const { plan, w, body } = this;
    const guarded = this.start();
    w.decode(body, plan.nest.axes, 't');
    const written = plan.written ? this.writtenOut() : undefined;
    plan.families.forEach((family, i) => {
      const share = written ? this.placedSums(family, written.families[i] ?? []) : this.loopedSums(family);
      if (plan.lanes > 1)
        family.forEach((sum, j) => {
          fold(w, body, sum, share[j] ?? '', this.sharers());
        });
    });
    const storing = guarded ? new Scope(body, true) : body;
    if (written) w.stores(written.stores, storing);
    else
      this.loop(storing, plan.columns, (inner) => {
        w.stores(plan.nest.stores, inner);
      });
    if (guarded) body.block('if (live) {', storing);
  }

  private sharers(): Sharers {
    const { lanes, together, along } = this.plan;
    const { key } = this.lane;
    const threads = lanes * together;
    if (!along) return { lanes, lane: key, step: together, first: `local % ${together}u`, threads };
    return { lanes, lane: key, step: 1, first: together === 1 ? '0u' : `local - u32(${key})`, threads };
  }

  /** Gives `t`, the row, and the lane their values; tells whether some threads may have no row. */
  private start(): boolean {
    const { plan, w, body } = this;
    const { lanes, together, along } = plan;
    const rows = w.p.int(plan.count);
    // Neighbouring threads have what are neighbours in memory: places of a row, or rows.
    const byLanes = [`i32(local) / ${lanes}`, `i32(local) % ${lanes}`] as const;
    const byRows = [`i32(local) % ${together}`, `i32(local) / ${together}`] as const;
    const [row, lane] = lanes === 1 ? ['i32(local)', '0'] : along ? byLanes : byRows;
    const guarded = together > 1 && lanes > 1;
    if (together === 1) body.line(`let t = ${this.w.group};`);
    else body.line(`let ${guarded ? 'place' : 't'} = ${this.w.group} * ${together} + ${row};`);
    if (guarded) {
      body.line(`let live = place < ${rows};`);
      body.line(`let t = min(place, ${rows} - 1);`);
    } else body.line(`if (t >= ${rows}) { return; }`);
    body.line(`let ${this.lane.key} = ${together === 1 ? 'i32(local)' : lane};`);
    body.bound.add(this.lane.key);
    return guarded;
  }

  /** The places of a thread that `over` has: those of neighbouring threads, or the fours of them, are neighbours. */
  private places(over: Axis): Index[] {
    const { lanes, quads } = this.plan;
    const side = quads ? QUAD : 1;
    const first = times(fromAxis(this.lane), side);
    const place = (i: number) => plus(first, Math.floor(i / side) * side * lanes + (i % side));
    return Array.from({ length: Math.ceil(over.extent / lanes) }, (_, i) => place(i));
  }

  /** Bodies of sums and stores at each place of a thread, counted, so that what is used twice is named. */
  private writtenOut() {
    const { nest, columns, families } = this.plan;
    const at = (over: Axis, place: Index) => (a: Axis) => (a.key === over.key ? place : undefined);
    const sums = families.map((family) => {
      const [over] = family.flatMap((s) => s.axes);
      if (!over) return [];
      return this.places(over).map((place) => {
        const visit = replaceAxes(nest.builder, at(over, place));
        return { bodies: family.map((s) => visit(s.body)), guard: lessThan(place, over) };
      });
    });
    const stores = this.places(columns).flatMap((place) => {
      const visit = replaceAxes(nest.builder, at(columns, place));
      const to = at(columns, place);
      return nest.stores.map((s) => ({
        ...s,
        index: substitute(s.index, to),
        value: visit(s.value),
        guard: lessThan(place, columns),
      }));
    });
    for (const { bodies } of sums.flat()) for (const body of bodies) this.w.recount(body);
    for (const { value } of stores) this.w.recount(value);
    return { families: sums, stores };
  }

  private placedSums(family: readonly Sum[], places: ReturnType<RowText['writtenOut']>['families'][number]): string[] {
    const { w, body } = this;
    const totals = family.map((s) => this.sums.accumulator(body, s));
    for (const { bodies, guard } of places) {
      // What stands outside a row is computed like the rest, and then not added.
      const values = bodies.map((e) => w.value(e, body));
      const here = guard ? new Scope(body, true) : body;
      family.forEach((s, i) => this.sums.accumulate(here, s, totals[i] ?? '', values[i] ?? ''));
      if (guard) body.block(`if (${w.at.condition(guard)}) {`, here);
    }
    return totals;
  }

  private loopedSums(family: readonly Sum[]): string[] {
    const { w, body, plan } = this;
    const totals = family.map((s) => this.sums.accumulator(body, s));
    const [over] = family.flatMap((s) => s.axes);
    if (!over) return totals;
    const cut = cutOf(family, [Math.ceil(typicalOf([over]) / plan.lanes)], 1);
    const parts = cut ? family.map((s) => this.sums.part(body, s)) : totals;
    this.loop(body, over, (inner) => {
      family.forEach((s, i) => this.sums.accumulate(inner, s, parts[i] ?? '', w.value(s.body, inner)));
      if (cut) this.sums.intoTotals(inner, `(${over.key} / ${plan.lanes})`, cut.every, totals, parts);
    });
    if (cut) family.forEach((s, i) => body.line(`${totals[i] ?? ''} += ${parts[i] ?? ''};`, s.origin));
    return totals;
  }

  private loop(scope: Scope, over: Axis, fill: (inner: Scope) => void): void {
    const inner = new Scope(scope);
    inner.bound.add(over.key);
    fill(inner);
    const { key } = over;
    scope.block(
      `for (var ${key} = ${this.lane.key}; ${key} < ${this.w.p.int(over.extent)}; ${key} += ${this.plan.lanes}) {`,
      inner,
    );
  }
}

function lessThan(place: Index, over: Axis) {
  if (place.max < over.extent) return undefined;
  const guard = condition([{ index: place, lo: 0, hi: over.extent }]);
  return guard === 'never' ? undefined : guard;
}
