/**
 * @file The text of a walk over keys by blocks. In: a walk, and how values and indices are written. Out: lines in which a workgroup
 * adds up the scores of its rows with a block of keys as a product does, tells its threads the largest so far, puts the weights
 * into workgroup memory, and adds up the values of these keys by them. Scores stay in registers.
 */
import { LARGER } from '../ops/functions/order.ts';
import { exponential } from './arithmetic.ts';
import { combined, type Expr } from './expr.ts';
import { extentOf } from './extents.ts';
import type { Store } from './nest.ts';
import { Scope } from './scope.ts';
import { at, spotAt } from './tile-store.ts';
import { addFamily, blockPlace, load, type Side, type Stepped } from './tile-text.ts';
import { isFilled, LANES, pitchOf } from './tiles.ts';
import { finished, isMinusInfinity } from './walk-end.ts';
import { stagedWidth, type BlockWalk } from './walk.ts';
import type { Writer } from './writer.ts';

export function walkText(w: Writer, walk: BlockWalk, stores: readonly Store[], body: Scope): void {
  new WalkText(w, walk, body).write(stores);
}

const WHOLE = { side: undefined, room: 1 } as const;
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

class WalkText {
  private readonly rows: Side;
  /** Products of queries and keys, and of weights and values. */
  private readonly scores: Stepped & { readonly thread: { readonly rows: number; readonly columns: number } };
  private readonly values: Stepped & { readonly thread: { readonly rows: number; readonly columns: number } };
  private readonly origin: number;

  constructor(
    private readonly w: Writer,
    private readonly walk: BlockWalk,
    private readonly body: Scope,
  ) {
    const { block, thread, threads, width, across, rows, columns, keys } = walk;
    const common = { parts: WHOLE, slices: 1, threads, rows };
    const sized = (wide: number, each: number) => ({
      block: { rows: block.rows, columns: wide, depth: block.depth },
      thread: { rows: thread.rows, columns: each },
    });
    this.scores = { ...common, ...sized(block.keys, thread.keys), columns: [keys] };
    this.values = { ...common, ...sized(width, width / across), columns };
    this.rows = { name: 'rows', axes: rows, block: block.rows, thread: thread.rows, parts: 1 };
    this.origin = walk.mixed.origin;
  }

  write(stores: readonly Store[]): void {
    const { w, walk, body } = this;
    const { block, across, keys } = walk;
    blockPlace(w, body, [this.rows], walk);
    w.decode(body, walk.batch, 'block');
    body.line('let lane = i32(local);');
    body.line(`let columns_of = lane % ${across};`);
    body.line(`let rows_of = lane / ${across};`);
    this.declare();
    const round = new Scope(body);
    this.addScores(round);
    this.findLargest(round);
    this.weigh(round);
    this.addValues(round);
    body.block(`for (var columns_from = 0; columns_from < ${keys.extent}; columns_from += ${block.keys}) {`, round);
    this.end();
    this.store(stores);
  }

  private get each(): { readonly rows: number[]; readonly keys: number[]; readonly vectors: number[] } {
    const { thread, width, across } = this.walk;
    return { rows: upTo(thread.rows), keys: upTo(thread.keys), vectors: upTo(width / across / LANES) };
  }

  private declare(): void {
    const { w, walk, body, origin } = this;
    const { block, across } = walk;
    const vectors = (lines: number, positions: number) => `array<vec4<f32>, ${lines * pitchOf(positions)}>`;
    w.preludes.add(`var<workgroup> rows_staged: ${vectors(block.depth, block.rows)};`);
    w.preludes.add(`var<workgroup> columns_staged: ${vectors(block.depth, stagedWidth(walk))};`);
    w.preludes.add(`var<workgroup> weights_staged: ${vectors(block.depth, block.rows)};`);
    w.preludes.add(`var<workgroup> row_shares: array<f32, ${across * block.rows}>;`);
    for (const name of ['row_largest', 'row_scale']) w.preludes.add(`var<workgroup> ${name}: array<f32, ${block.rows}>;`);
    for (const list of [LARGER, exponential.prelude ?? []]) list.forEach((f) => w.preludes.add(f));
    body.line(`var largest = ${w.literal(-Infinity, 'float32')};`, walk.largest.origin);
    for (const i of this.each.rows) {
      for (const v of this.each.vectors) body.line(`var mixed${i}_${v} = vec4<f32>();`, origin);
      for (const t of this.rowSums.keys()) body.line(`var total${t}_${i} = 0.0;`, origin);
    }
  }

  /** Sums of a row, the last of which may be the count of what counts, which is a largest. */
  private get rowSums() {
    const { totals, counts } = this.walk;
    return [...totals, ...(counts ? [counts] : [])];
  }

  private addScores(round: Scope): void {
    const { w, walk, scores } = this;
    const { dot, query, key, keys, block, thread } = walk;
    const columns: Side = { name: 'columns', axes: [keys], block: block.keys, thread: thread.keys, parts: 1 };
    const names = this.each.rows.map((i) => upTo(thread.keys / LANES).map((v) => `sum${i}_${v}`));
    addFamily(w, round, { sums: [dot], rows: [query], columns: [key] }, names, [this.rows, columns], scores);
  }

  private score(i: number, j: number): string {
    return `sum${i}_${Math.floor(j / LANES)}[${j % LANES}]`;
  }

  /** Each score of a thread in a block of its own; `before` and `after` stand around those of a row. */
  private positions(
    round: Scope,
    each: (scope: Scope, i: number, j: number, inside: string | undefined) => void,
    around: { before: (scope: Scope, i: number) => void; after: (scope: Scope, i: number) => void },
  ): void {
    const { w, walk, scores } = this;
    const { rows, keys } = walk;
    for (const i of this.each.rows) {
      const row = new Scope(round);
      const place = `rows_from + ${spotAt(scores, 'rows', i)}`;
      row.line(`let row = ${isFilled(scores, 'rows') ? place : `min(${place}, ${extentOf(rows) - 1})`};`);
      w.decode(row, rows, 'row');
      around.before(row, i);
      for (const j of this.each.keys) {
        const one = new Scope(row);
        one.line(`let column = columns_from + ${spotAt(scores, 'columns', j)};`);
        const filled = isFilled(scores, 'columns');
        if (!filled) one.line(`let at = min(column, ${keys.extent - 1});`);
        w.decode(one, [keys], filled ? 'column' : 'at');
        each(one, i, j, filled ? undefined : `column < ${keys.extent}`);
        row.block('{', one);
      }
      around.after(row, i);
      round.block('{', row);
    }
  }

  private value(expr: Expr, scope: Scope): string {
    this.w.recount(expr);
    return this.w.value(expr, scope);
  }

  /** Of what a thread has, then of what those of a row have, which one of them tells the others, with what sums so far are scaled by. */
  private findLargest(round: Scope): void {
    const { w, walk } = this;
    const { dot, score, largest, block, across } = walk;
    const { origin } = largest;
    const nothing = w.literal(-Infinity, 'float32');
    this.positions(
      round,
      // Behind the last key that one is looked at again, which does not change the largest.
      (scope, i, j) => {
        scope.names.set(dot, this.score(i, j));
        scope.line(`${this.score(i, j)} = ${this.value(score, scope)};`, score.origin);
        scope.line(`most = ${combined(largest, 'most', this.score(i, j))};`, origin);
      },
      {
        before: (scope) => {
          scope.line(`var most = ${nothing};`, origin);
        },
        after: (scope, i) => {
          scope.line(`row_shares[columns_of * ${block.rows} + ${spotAt(this.scores, 'rows', i)}] = most;`, origin);
        },
      },
    );
    round.line('workgroupBarrier();', origin);
    const own = new Scope(round, true);
    own.line('var now = largest;', origin);
    const share = `row_shares[i * ${block.rows} + lane]`;
    own.line(`for (var i = 0; i < ${across}; i++) { now = ${combined(largest, 'now', share)}; }`, origin);
    // Less −∞ nothing would be a number: as long as that is the largest, 0 stands for it.
    own.line(`let level = select(now, 0.0, ${isMinusInfinity('now')});`, origin);
    own.line('let scale = jl_exp(largest - level);', origin);
    own.line('row_largest[lane] = level;', origin);
    // What is no number makes the totals so, too; what it does to sums of values follows from those.
    own.line('row_scale[lane] = select(scale, 1.0, jl_is_nan(scale));', origin);
    own.line('largest = now;', origin);
    this.byRowOwners(round, own);
  }

  /** A thread for each row does it, and then all go on. */
  private byRowOwners(scope: Scope, own: Scope): void {
    const { block, threads, largest } = this.walk;
    scope.block(threads > block.rows ? `if (lane < ${block.rows}) {` : '{', own);
    scope.line('workgroupBarrier();', largest.origin);
  }

  /** Scales what is there, adds the weights to the totals, and puts them where all can read them. */
  private weigh(round: Scope): void {
    const { walk, origin } = this;
    const { score, largest, weight, totals, counts } = walk;
    const last = totals.length;
    this.positions(
      round,
      (scope, i, j, inside) => {
        const counted = (text: string) => (inside === undefined ? text : `select(0.0, ${text}, ${inside})`);
        scope.names.set(score, this.score(i, j));
        scope.names.set(largest, 'level');
        totals.forEach(({ term, sum }, t) => {
          scope.line(`total${t}_${i} += ${counted(this.value(term, scope))};`, sum.origin);
        });
        if (counts) {
          const more = combined(counts.sum, `total${last}_${i}`, counted(this.value(counts.term, scope)));
          scope.line(`total${last}_${i} = ${more};`, counts.sum.origin);
        }
        scope.line(`${this.score(i, j)} = ${counted(this.value(weight, scope))};`, weight.origin);
      },
      {
        before: (scope, i) => {
          scope.line(`let level = row_largest[${spotAt(this.scores, 'rows', i)}];`, origin);
          scope.line(`let scale = row_scale[${spotAt(this.scores, 'rows', i)}];`, origin);
          for (const t of totals.keys()) scope.line(`total${t}_${i} *= scale;`, origin);
          for (const v of this.each.vectors) scope.line(`mixed${i}_${v} *= scale;`, origin);
        },
        after: () => undefined,
      },
    );
  }

  /** Those of the keys of a step, each from the threads that have it. */
  private stageWeights(scope: Scope): void {
    const { walk } = this;
    const { weight, block, thread, across, down } = walk;
    for (const c of upTo(thread.keys / LANES)) {
      const own = new Scope(scope);
      const spot = `columns_of + ${c * across}`;
      for (const l of upTo(LANES)) {
        const line = `((${spot}) * ${LANES} % ${block.depth} + ${l}) * ${pitchOf(block.rows)}`;
        for (const v of upTo(thread.rows / LANES)) {
          const parts = upTo(LANES).map((i) => this.score(v * LANES + i, c * LANES + l));
          own.line(`weights_staged[${line} + rows_of + ${v * down}] = vec4<f32>(${parts.join(', ')});`, weight.origin);
        }
      }
      scope.block(`if ((${spot}) / ${block.depth / LANES} == step - first) {`, own);
    }
  }

  /** The values of the block's keys, a few of them at a time; the next are loaded while these are added up. */
  private addValues(round: Scope): void {
    const { w, walk, values, origin } = this;
    const { mixed, value, columns, block, width, across, down } = walk;
    const { depth } = block;
    const side: Side = { name: 'columns', axes: columns, block: width, thread: width / across, parts: 1 };
    const steps = block.keys / depth;
    round.line(`let first = columns_from / ${depth};`, origin);
    const step = new Scope(round);
    step.line('let columns_from = 0;');
    const staged = load(w, step, side, [value], mixed, values, { when: `step < first + ${steps}` });
    const use = new Scope(step);
    for (const k of upTo(depth)) {
      const term = new Scope(use);
      for (const v of upTo(this.walk.thread.rows / LANES))
        term.line(`let weights${v} = weights_staged[rows_of + ${k * pitchOf(block.rows) + v * down}];`, origin);
      for (const v of this.each.vectors)
        term.line(`let values${v} = columns_staged[columns_of + ${k * pitchOf(width) + v * across}];`, origin);
      for (const i of this.each.rows) {
        const weight = `vec4<f32>(weights${Math.floor(i / LANES)}[${i % LANES}])`;
        for (const v of this.each.vectors) term.line(`mixed${i}_${v} = fma(${weight}, values${v}, mixed${i}_${v});`, origin);
      }
      use.block('{', term);
    }
    step.block('if (step > first) {', use);
    step.line(`if (step == first + ${steps}) { break; }`, origin);
    step.line('workgroupBarrier();', origin);
    for (const { place, name } of staged) step.line(`${place} = ${name};`, origin);
    this.stageWeights(step);
    step.line('workgroupBarrier();', origin);
    round.block('for (var step = first; ; step++) {', step);
  }

  /** Adds up what the threads of a row have of its totals, and tells each what its rows have. */
  private end(): void {
    const { walk, body } = this;
    const { block, across } = walk;
    this.rowSums.forEach(({ sum }, t) => {
      for (const i of this.each.rows)
        body.line(`row_shares[columns_of * ${block.rows} + ${spotAt(this.scores, 'rows', i)}] = total${t}_${i};`, sum.origin);
      body.line('workgroupBarrier();', sum.origin);
      const own = new Scope(body, true);
      own.line('var total = row_shares[lane];', sum.origin);
      const more = combined(sum, 'total', `row_shares[i * ${block.rows} + lane]`);
      own.line(`for (var i = 1; i < ${across}; i++) { total = ${more}; }`, sum.origin);
      own.line('row_scale[lane] = total;', sum.origin);
      this.byRowOwners(body, own);
      for (const i of this.each.rows) body.line(`total${t}_${i} = row_scale[${spotAt(this.scores, 'rows', i)}];`, sum.origin);
      body.line('workgroupBarrier();', sum.origin);
    });
    const own = new Scope(body, true);
    own.line('row_largest[lane] = largest;', walk.largest.origin);
    this.byRowOwners(body, own);
  }

  private store(stores: readonly Store[]): void {
    const { w, walk, body, values, origin } = this;
    body.line('let columns_from = 0;');
    for (const i of this.each.rows) {
      const row = new Scope(body);
      row.line(`let top = row_largest[${spotAt(values, 'rows', i)}];`, origin);
      const names = {
        largest: 'top',
        totals: walk.totals.map((_, t) => `total${t}_${i}`),
        counts: `total${walk.totals.length}_${i}`,
      };
      for (let c = 0; c < values.thread.columns; c++) {
        const spots = { rows: spotAt(values, 'rows', i), columns: spotAt(values, 'columns', c) };
        at(w, row, values, { before: [], spots }, (position) => {
          // What is made of sums must not be looked for further out, where they have no names.
          const here = new Scope(position, true);
          finished(w, here, walk, { ...names, mixed: `mixed${i}_${Math.floor(c / LANES)}[${c % LANES}]` });
          w.stores(stores, here);
          position.block('{', here);
        });
      }
      body.block('{', row);
    }
  }
}
