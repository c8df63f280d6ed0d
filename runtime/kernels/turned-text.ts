/**
 * @file The text of a kernel by turned squares. In: a plan, and how values and indices are written. Out: lines that read each
 * turned load into workgroup memory, threads next to each other along its rows; then, behind a barrier, those that compute and
 * store, threads next to each other along what is stored. All threads meet in the barrier.
 */
import { dtypes } from '../tensor/dtype.ts';
import { extentOf } from './extents.ts';
import type { Nest } from './nest.ts';
import { Scope } from './scope.ts';
import { blockPlace } from './tile-text.ts';
import { DOWN, EACH, PITCH, SIDE, type Arm, type TurnPlan } from './turned.ts';
import type { Writer } from './writer.ts';

export function turnedText(w: Writer, plan: TurnPlan, body: Scope): void {
  const { batch, columns, fours, loads, nest } = plan;
  const sides = [
    { name: 'columns', axes: [columns], block: SIDE, parts: 1 },
    { name: 'rows', axes: [fours], block: DOWN, parts: 1 },
  ] as const;
  blockPlace(w, body, sides, plan);
  w.decode(body, batch, 'block');
  body.line(`let across = i32(local) % ${SIDE};`);
  body.line(`let down = i32(local) / ${SIDE};`);
  loads.forEach(({ load }, i) => w.preludes.add(`var<workgroup> turned${i}: array<${dtypes[load.type].wgsl}, ${SIDE * PITCH}>;`));
  stage(w, plan, body);
  body.line('workgroupBarrier();', loads[0]?.load.origin);

  const tests = [
    ...(isWhole(w, plan, 'rows') ? [] : [`(${fours.key} < ${w.p.derived(fours.extent, [fours])})`]),
    ...(isWhole(w, plan, 'columns') ? [] : [`(${columns.key} < ${w.p.derived(columns.extent, [columns])})`]),
  ];
  body.line(`let ${columns.key} = columns_from + across;`);
  body.line(`let ${fours.key} = rows_from + down;`);
  body.bound.add(columns.key).add(fours.key);
  const here = tests.length > 0 ? new Scope(body, true) : body;
  for (const [i, { load, each }] of loads.entries())
    each.forEach((at, position) => {
      const name = w.name('v');
      here.line(`let ${name} = turned${i}[across * ${PITCH} + down * ${EACH} + ${position}];`, load.origin);
      here.names.set(at, name);
    });
  storeAll(w, nest, here);
  if (here !== body) body.block(`if (${tests.join(' & ')}) {`, here);
}

/** Behind the last position the last one is read again; what comes of it is not stored. */
function stage(w: Writer, plan: TurnPlan, body: Scope): void {
  const { rows, columns, loads } = plan;
  const within = (place: string, side: 'rows' | 'columns') =>
    isWhole(w, plan, side) ? place : `min(${place}, ${w.p.derived(extentOf([plan[side]]) - 1, [plan[side]])})`;
  const all = new Scope(body);
  all.line(`let ${rows.key} = ${within(`rows_from * ${EACH} + across`, 'rows')};`);
  all.bound.add(rows.key);
  const staged: string[] = [];
  for (let position = 0; position < EACH; position++) {
    const line = `down + ${position * DOWN}`;
    const one = new Scope(all);
    one.line(`let ${columns.key} = ${within(`columns_from + ${line}`, 'columns')};`);
    one.bound.add(columns.key);
    for (const [i, { load, under }] of loads.entries()) {
      const name = w.name('v');
      // All are loaded before the first is put away, so that a device waits for memory once.
      all.line(`var ${name}: ${dtypes[load.type].wgsl};`, load.origin);
      const assignment = `${name} = ${w.value(load, one)};`;
      one.line(under.length > 0 ? `if (${conditionOf(w, under)}) { ${assignment} }` : assignment, load.origin);
      staged.push(`turned${i}[(${line}) * ${PITCH} + across] = ${name};`);
    }
    all.block('{', one);
  }
  for (const text of staged) all.line(text, loads[0]?.load.origin);
  body.block('{', all);
}

const conditionOf = (w: Writer, under: readonly Arm[]): string =>
  under.map(({ when, holds }) => `${holds ? '' : '!'}(${w.at.condition(when)})`).join(' & ');

/** The values of all positions first: behind a store a device may load only once that is done. */
function storeAll(w: Writer, nest: Nest, scope: Scope): void {
  for (const { value } of nest.stores) {
    const needed = value.kind === 'cast' ? value.value : value;
    const text = w.value(needed, scope);
    if (scope.find(needed) !== undefined || needed.kind === 'literal') continue;
    const name = w.name('v');
    scope.line(`let ${name} = ${text};`, needed.origin);
    scope.names.set(needed, name);
  }
  w.stores(nest.stores, scope);
}

/** Whether each square has all its positions along that side. */
function isWhole(w: Writer, plan: TurnPlan, side: 'rows' | 'columns'): boolean {
  const of = plan[side];
  return w.p.fixed([of]) && of.extent % SIDE === 0;
}
