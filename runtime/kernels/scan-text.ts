/**
 * @file The text of scans. In: a plan and what writes values. Out: the lines: a loop over the blocks of a row, in each of which a
 * thread folds its own places, the threads fold theirs in shared memory, and what came before is carried on. All threads of a
 * workgroup meet in every barrier: those without a row of their own go along with the last row, and store nothing.
 */
import { axis, fromAxis, plus, substitute, type Index } from '../tensor/affine.ts';
import { dtypes } from '../tensor/dtype.ts';
import { replaceAxes } from './axes.ts';
import { combined, type Sum } from './expr.ts';
import { extentOf, typicalOf, vary } from './extents.ts';
import type { Nest } from './nest.ts';
import type { ScanPlan } from './scans.ts';
import { Scope } from './scope.ts';
import type { Writer } from './writer.ts';

export function writeScans(w: Writer, body: Scope, plan: ScanPlan, nest: Nest): void {
  new ScanText(w, body, plan, nest).write();
}

class ScanText {
  private readonly loop: Scope;

  constructor(
    private readonly w: Writer,
    private readonly body: Scope,
    private readonly plan: ScanPlan,
    private readonly nest: Nest,
  ) {
    this.loop = new Scope(body);
  }

  write(): void {
    const { w, body, loop, plan } = this;
    const { scans, lanes, length, over } = plan;
    const tests = this.start() ? ['live'] : [];
    w.decode(body, plan.rows, 't');
    const carries = scans.map(({ sum }) => this.carry(sum));
    const block = lanes * plan.places;
    const first = axis('first', length + block, vary(over) ? typicalOf(over) : undefined);
    const end = w.p.derived(length, over);
    loop.line(`let ${first.key} = ${lanes === 1 ? 'base' : `base + lane * ${plan.places}`};`);
    loop.bound.add(first.key);
    const places = Array.from({ length: plan.places }, (_, i) => {
      const index = plus(fromAxis(first), i);
      const inside = block === 1 ? [] : [`${first.key}${i === 0 ? '' : ` + ${i}`} < ${end}`];
      return { ...this.at(index), inside };
    });
    for (const { terms, stores } of places) [...terms, ...stores.map((s) => s.value)].forEach((e) => w.recount(e));
    scans.forEach(({ sum }, s) => {
      // Behind the end of a row what lies there is folded too: no place before it needs that, and nothing is carried further.
      const own = places.map(({ terms }) => w.value(terms[s] ?? sum, loop));
      const folds = this.folds(sum, own, carries[s] ?? '');
      places.forEach(({ of }, i) => loop.names.set(of(sum), folds[i] ?? ''));
    });
    for (const { stores, inside } of places) {
      const storing = new Scope(loop, true);
      w.stores(stores, storing);
      const when = [...tests, ...inside];
      if (when.length === 0) loop.lines.push(...storing.lines);
      else loop.block(`if (${when.join(' && ')}) {`, storing);
    }
    body.block(`for (var base = 0; base < ${end}; base += ${block}) {`, loop);
  }

  /** Gives `t`, the row, and `lane` their values; tells whether some threads may have no row. */
  private start(): boolean {
    const { w, body } = this;
    const { rows, lanes, together } = this.plan;
    const count = w.p.derived(extentOf(rows), rows);
    const guarded = together > 1 && lanes > 1;
    if (guarded) {
      body.line(`let place = ${w.group} * ${together} + i32(local) / ${lanes};`);
      body.line(`let live = place < ${count};`);
      body.line(`let t = min(place, ${count} - 1);`);
      body.line(`let lane = i32(local) % ${lanes};`);
      return true;
    }
    body.line(`let t = ${together === 1 ? w.group : `${w.group} * ${together} + i32(local)`};`);
    body.line(`if (t >= ${count}) { return; }`);
    if (lanes > 1) body.line('let lane = i32(local);');
    return false;
  }

  private carry({ combiner, type, origin }: Sum): string {
    const name = this.w.name('carry');
    combiner.prelude?.forEach((f) => this.w.preludes.add(f));
    this.body.line(`var ${name} = ${this.w.literal(combiner.identity, type)};`, origin);
    return name;
  }

  /** Terms and stores at one place of a row, and what an expression over positions is there. */
  private at(place: Index) {
    const { scans, at } = this.plan;
    const { builder, stores } = this.nest;
    const to = at(place);
    const of = replaceAxes(builder, to);
    return {
      of,
      terms: scans.map((scan) => replaceAxes(builder, scan.at(place))(scan.term)),
      stores: stores.map((s) => ({ ...s, index: substitute(s.index, to), value: of(s.value) })),
    };
  }

  /** Names of the folds of a row up to each of a thread's places, whose terms are `own`. */
  private folds(sum: Sum, own: readonly string[], carry: string): string[] {
    const { w, loop, plan } = this;
    const line = (text: string) => {
      loop.line(text, sum.origin);
    };
    const named = (prefix: string, text: string) => {
      const name = w.name(prefix);
      line(`let ${name} = ${text};`);
      return name;
    };
    const parts: string[] = [];
    for (const term of own) {
      const last = parts.at(-1);
      parts.push(named('part', last === undefined ? term : combined(sum, last, term)));
    }
    const before = plan.lanes === 1 ? carry : this.before(sum, parts.at(-1) ?? '', carry);
    const folds = parts.map((part) => named('fold', combined(sum, before, part)));
    line(
      `${carry} = ${plan.lanes === 1 ? (folds.at(-1) ?? '') : combined(sum, carry, `${this.shared(sum)}[local - u32(lane) + ${plan.lanes - 1}u]`)};`,
    );
    // The next one puts its parts where these are still being read.
    if (plan.lanes > 1) line('workgroupBarrier();');
    return folds;
  }

  /** The fold of all that comes before a thread's own places: of what is carried, and of the threads before it. */
  private before(sum: Sum, part: string, carry: string): string {
    const { w, loop, plan } = this;
    const shared = this.shared(sum);
    const [total, before] = [w.name('total'), w.name('before')];
    const lines = [
      `var ${total} = ${part};`,
      `${shared}[local] = ${total};`,
      'workgroupBarrier();',
      `for (var by = 1; by < ${plan.lanes}; by *= 2) {`,
      `  if (lane >= by) { ${total} = ${combined(sum, `${shared}[local - u32(by)]`, total)}; }`,
      '  workgroupBarrier();',
      `  ${shared}[local] = ${total};`,
      '  workgroupBarrier();',
      '}',
      `var ${before} = ${carry};`,
      `if (lane > 0) { ${before} = ${combined(sum, carry, `${shared}[local - 1u]`)}; }`,
    ];
    for (const text of lines) loop.line(text, sum.origin);
    return before;
  }

  private shared({ type }: Sum): string {
    const { lanes, together } = this.plan;
    const element = dtypes[type].wgsl;
    this.w.preludes.add(`var<workgroup> shared_${element}: array<${element}, ${lanes * together}>;`);
    return `shared_${element}`;
  }
}
