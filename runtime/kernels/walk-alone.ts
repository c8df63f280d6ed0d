/**
 * @file The text of a walk over keys by threads that are alone. In: a walk, and what writes values and sums. Out: a loop over the
 * keys of a thread's rows, some at once, in which the largest score so far and the sums are held.
 */
import { LARGER } from '../ops/functions/order.ts';
import { axis, fromAxis, plus, substitute, times, type Axis, type Index } from '../tensor/affine.ts';
import { exponential } from './arithmetic.ts';
import { outermostSums, replaceAxes } from './axes.ts';
import { combined, type Expr, type Sum } from './expr.ts';
import { extentOf } from './extents.ts';
import type { Store } from './nest.ts';
import type { Online, Total } from './online.ts';
import { Scope } from './scope.ts';
import type { SumText } from './sums.ts';
import { finished, isMinusInfinity, type WalkNames } from './walk-end.ts';
import type { RowWalk } from './walk.ts';
import type { Writer } from './writer.ts';

/** A row of a thread: what the walk computes at it, and the names of what it holds. */
interface Row extends Pick<Online, 'score' | 'weight' | 'largest' | 'totals' | 'mixed' | 'counts'> {
  readonly names: WalkNames;
  readonly stores: readonly Store[];
}

export function walkAloneText(w: Writer, sums: SumText, walk: RowWalk, stores: readonly Store[], body: Scope): void {
  const { nest, columns, threads, counts, mixed } = walk;
  const { origin } = mixed;
  const [along, fewer] = sharedRows(walk);
  const ofRow = nest.axes.filter((a) => !columns.includes(a)).map((a) => (a === along ? fewer : a));
  const width = extentOf(columns);
  body.line(`let t = ${w.group} * ${threads} + i32(local);`);
  body.line(`if (t >= ${extentOf(ofRow)}) { return; }`);
  w.decode(body, ofRow, 't');
  for (const list of [LARGER, exponential.prelude ?? []]) list.forEach((f) => w.preludes.add(f));
  const rows = Array.from({ length: walk.rowsTogether }, (_, i) => {
    const place = plus(times(fromAxis(fewer), walk.rowsTogether), i);
    return rowOf(walk, stores, (a) => (a === along ? place : undefined), i);
  });
  rows.forEach(({ names, largest }, i) => {
    body.line(`var ${names.largest} = ${w.literal(-Infinity, 'float32')};`, largest.origin);
    for (const name of [...names.totals, ...(counts ? [names.counts] : [])]) body.line(`var ${name} = 0.0;`, origin);
    body.line(`var mixed${i}: array<f32, ${width}>;`, origin);
  });
  walkKeys(w, sums, walk, rows, body);
  const end = new Scope(body);
  w.decode(end, columns, 'c');
  for (const row of rows) {
    // What is made of sums must not be looked for further out, where they have no names.
    const one = new Scope(end, true);
    finished(w, one, row, row.names);
    for (const { value } of row.stores) w.recount(value);
    w.stores(row.stores, one);
    end.block('{', one);
  }
  body.block(`for (var c = 0; c < ${width}; c++) {`, end);
}

/** The axis of which a thread has several places, and that of threads. */
function sharedRows({ rows, rowsTogether }: RowWalk): [along: Axis | undefined, fewer: Axis] {
  const along = rows.at(-1);
  return [along, axis(`${along?.key ?? ''}t`, (along?.extent ?? 1) / rowsTogether)];
}

function rowOf(walk: RowWalk, stores: readonly Store[], to: (a: Axis) => Index | undefined, i: number): Row {
  const { nest, totals, counts } = walk;
  const here = replaceAxes(nest.builder, (a) => to(walk.nest.axes.find((x) => x.key === a.key) ?? a));
  const sum = (s: Sum) => {
    const placed = here(s);
    return placed.kind === 'reduce' ? placed : s;
  };
  const total = (t: Total): Total => ({ sum: sum(t.sum), term: here(t.term) });
  return {
    score: here(walk.score),
    weight: here(walk.weight),
    largest: sum(walk.largest),
    mixed: sum(walk.mixed),
    totals: totals.map(total),
    counts: counts && total(counts),
    stores: stores.map((s) => ({ ...s, value: here(s.value), index: substitute(s.index, to) })),
    names: {
      largest: `largest${i}`,
      totals: totals.map((_, t) => `total${t}_${i}`),
      counts: `counts${i}`,
      mixed: `mixed${i}[c]`,
    },
  };
}

function walkKeys(w: Writer, sums: SumText, walk: RowWalk, rows: readonly Row[], body: Scope): void {
  const { nest, keys, value, columns, keysTogether } = walk;
  const { origin } = walk.mixed;
  const round = axis('round', keys.extent / keysTogether);
  const places = Array.from({ length: keysTogether }, (_, i) => {
    const place = plus(times(fromAxis(round), keysTogether), i);
    return replaceAxes(nest.builder, (a: Axis) => (a.key === keys.key ? place : undefined));
  });
  const at = (expr: Expr): Expr[] =>
    places.map((place) => {
      const here = place(expr);
      w.recount(here);
      return here;
    });
  const loop = new Scope(body);
  loop.bound.add(round.key);
  const scores = rows.map((row) => at(row.score));
  sums.write(loop, outermostSums(scores.flat()));
  rows.forEach((row, i) => {
    const { largest, totals, counts, weight, names } = row;
    scores[i]?.forEach((e, j) => {
      loop.line(`let score${i}_${j} = ${w.value(e, loop)};`, e.origin);
      loop.names.set(e, `score${i}_${j}`);
    });
    const now = places.reduce((most, _, j) => combined(largest, most, `score${i}_${j}`), names.largest);
    loop.line(`let now${i} = ${now};`, largest.origin);
    // Less −∞ nothing would be a number: as long as that is the largest, 0 stands for it.
    loop.line(`let level${i} = select(now${i}, 0.0, ${isMinusInfinity(`now${i}`)});`, largest.origin);
    loop.line(`let grown${i} = jl_exp(${names.largest} - level${i});`, largest.origin);
    loop.line(`let scale${i} = select(grown${i}, 1.0, jl_is_nan(grown${i}));`, largest.origin);
    loop.line(`${names.largest} = now${i};`, largest.origin);
    loop.names.set(largest, `level${i}`);
    totals.forEach(({ term, sum }, t) => {
      const terms = at(term).map((e) => w.value(e, loop));
      loop.line(`${names.totals[t] ?? ''} = ${names.totals[t] ?? ''} * scale${i} + (${terms.join(' + ')});`, sum.origin);
    });
    for (const e of counts ? at(counts.term) : [])
      loop.line(`${names.counts} = max(${names.counts}, ${w.value(e, loop)});`, e.origin);
    at(weight).forEach((e, j) => loop.line(`let weight${i}_${j} = ${w.value(e, loop)};`, e.origin));
  });
  const each = new Scope(loop);
  w.decode(each, columns, 'c');
  at(value).forEach((e, j) => each.line(`let value${j} = ${w.value(e, each)};`, e.origin));
  rows.forEach(({ names }, i) => {
    const total = places.reduce((sum, _, j) => `fma(weight${i}_${j}, value${j}, ${sum})`, `${names.mixed} * scale${i}`);
    each.line(`${names.mixed} = ${total};`, origin);
  });
  loop.block(`for (var c = 0; c < ${extentOf(columns)}; c++) {`, each);
  body.block(`for (var ${round.key} = 0; ${round.key} < ${round.extent}; ${round.key}++) {`, loop);
}
