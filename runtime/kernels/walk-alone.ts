/**
 * @file The text of a walk over keys by threads that are alone. In: a walk, and what writes values and sums. Out: a loop over the
 * keys of a thread's row, some at once, in which the largest score so far and the sums are held.
 */
import { LARGER } from '../ops/functions/order.ts';
import { axis, fromAxis, plus, times, type Axis } from '../tensor/affine.ts';
import { exponential } from './arithmetic.ts';
import { replaceAxes } from './axes.ts';
import { combined, type Expr } from './expr.ts';
import { extentOf } from './extents.ts';
import type { Store } from './nest.ts';
import { outermostSums } from './schedule.ts';
import { Scope } from './scope.ts';
import type { SumText } from './sums.ts';
import { finished, isMinusInfinity } from './walk-end.ts';
import type { RowWalk } from './walk.ts';
import type { Writer } from './writer.ts';

export function walkAloneText(w: Writer, sums: SumText, walk: RowWalk, stores: readonly Store[], body: Scope): void {
  const { nest, columns, largest, totals, mixed, counts, threads } = walk;
  const { origin } = mixed;
  const ofRow = nest.axes.filter((a) => !columns.includes(a));
  const width = extentOf(columns);
  body.line(`let t = ${w.group} * ${threads} + i32(local);`);
  body.line(`if (t >= ${extentOf(ofRow)}) { return; }`);
  w.decode(body, ofRow, 't');
  for (const list of [LARGER, exponential.prelude ?? []]) list.forEach((f) => w.preludes.add(f));
  body.line(`var largest = ${w.literal(-Infinity, 'float32')};`, largest.origin);
  for (const t of totals.keys()) body.line(`var total${t} = 0.0;`, origin);
  if (counts) body.line('var counted = 0.0;', origin);
  body.line(`var mixed: array<f32, ${width}>;`, origin);
  walkKeys(w, sums, walk, body);
  const end = new Scope(body);
  const names = { largest: 'largest', totals: totals.map((_, t) => `total${t}`), counts: 'counted', mixed: 'mixed[c]' };
  w.decode(end, columns, 'c');
  finished(w, end, walk, names);
  w.stores(stores, end);
  body.block(`for (var c = 0; c < ${width}; c++) {`, end);
}

function walkKeys(w: Writer, sums: SumText, walk: RowWalk, body: Scope): void {
  const { nest, keys, score, weight, value, largest, totals, mixed, counts, columns, together } = walk;
  const { origin } = mixed;
  const round = axis('round', keys.extent / together);
  const places = Array.from({ length: together }, (_, i) => {
    const place = plus(times(fromAxis(round), together), i);
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
  const scores = at(score);
  sums.write(loop, outermostSums(scores));
  scores.forEach((e, i) => {
    loop.line(`let score${i} = ${w.value(e, loop)};`, e.origin);
    loop.names.set(e, `score${i}`);
  });
  const now = scores.reduce((most, _, i) => combined(largest, most, `score${i}`), 'largest');
  loop.line(`let now = ${now};`, largest.origin);
  // Less −∞ nothing would be a number: as long as that is the largest, 0 stands for it.
  loop.line(`let level = select(now, 0.0, ${isMinusInfinity('now')});`, largest.origin);
  loop.line('let grown = jl_exp(largest - level);', largest.origin);
  loop.line('let scale = select(grown, 1.0, jl_is_nan(grown));', largest.origin);
  loop.line('largest = now;', largest.origin);
  loop.names.set(largest, 'level');
  totals.forEach(({ term, sum }, t) => {
    const terms = at(term).map((e) => w.value(e, loop));
    loop.line(`total${t} = total${t} * scale + (${terms.join(' + ')});`, sum.origin);
  });
  if (counts) for (const e of at(counts.term)) loop.line(`counted = max(counted, ${w.value(e, loop)});`, counts.sum.origin);
  at(weight).forEach((e, i) => loop.line(`let weight${i} = ${w.value(e, loop)};`, e.origin));
  const each = new Scope(loop);
  w.decode(each, columns, 'c');
  each.line('var total = mixed[c] * scale;', origin);
  at(value).forEach((e, i) => each.line(`total = fma(weight${i}, ${w.value(e, each)}, total);`, origin));
  each.line('mixed[c] = total;', origin);
  loop.block(`for (var c = 0; c < ${extentOf(columns)}; c++) {`, each);
  body.block(`for (var ${round.key} = 0; ${round.key} < ${round.extent}; ${round.key}++) {`, loop);
}
