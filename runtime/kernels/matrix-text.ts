/**
 * @file The text of a product by matrix units. In: a tiling, and how values and indices are written. Out: lines that stage both
 * factors as halves, multiply and add up by subgroup, and finish each position in float32. While one buffer is multiplied the
 * next step's vectors are on their way, and fill the other one.
 */
import { extentOf } from './extents.ts';
import { octetPlace, OCTET, pitchOf, UNIT, type MatrixTiling, type Staging } from './matrices.ts';
import type { Store } from './nest.ts';
import { Scope } from './scope.ts';
import { blockPlace } from './tile-text.ts';
import type { Writer } from './writer.ts';

const STAGED = 'vec4<u32>';

export function matrixText(w: Writer, tiling: MatrixTiling, stores: readonly Store[], body: Scope): void {
  const { rows, columns, block, part, sum, subgroup, threads } = tiling;
  const sides = [rows, columns] as const;
  for (const name of ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix']) w.enables.add(name);
  w.builtins.add('@builtin(subgroup_id) part: u32').add('@builtin(subgroup_invocation_id) place: u32');
  for (const s of sides) w.preludes.add(`var<workgroup> ${s.name}_staged: array<${STAGED}, ${2 * sizeOf(s)}>;`);
  w.preludes.add(`var<workgroup> finished: array<f32, ${(threads / subgroup) * UNIT * UNIT}>;`);

  const places = [columns, rows].map(({ name, axes }) => ({ name, axes, block: block[name], parts: 1 }));
  blockPlace(w, body, places, tiling);
  w.decode(body, tiling.batch, 'block');
  const across = block.columns / part.columns;
  // What cannot be outside is not checked at each access: so much is seen from what stands here.
  body.line(`let own = min(part, ${threads / subgroup - 1}u);`);
  body.line(`let rows_of = (own / ${across}u) * ${part.rows}u;`);
  body.line(`let columns_of = (own % ${across}u) * ${part.columns}u;`);
  const { origin } = sum.body;
  const sums = units(part.rows).map((i) => units(part.columns).map((j) => `sum${i}_${j}`));
  for (const name of sums.flat()) body.line(`var ${name}: subgroup_matrix_result<f32, ${UNIT}, ${UNIT}>;`, origin);

  const steps = Math.ceil(extentOf(sum.axes) / block.depth);
  const names = sides.map((s) => vectorNames(s, tiling));
  for (const name of names.flat()) body.line(`var ${name}: ${STAGED};`, origin);
  const first = new Scope(body);
  sides.forEach((s, i) => load(w, first, s, names[i] ?? [], tiling, '0'));
  body.block('{', first);
  sides.forEach((s, i) => put(body, s, names[i] ?? [], tiling, '0u'));
  body.line('workgroupBarrier();', origin);

  const round = new Scope(body);
  round.bound.add('step');
  const next = new Scope(round);
  sides.forEach((s, i) => load(w, next, s, names[i] ?? [], tiling, '(step + 1)'));
  round.block(`if (step + 1 < ${steps}) {`, next);
  round.line('let now = u32(step) % 2u;');
  multiply(round, sums, tiling, origin);
  sides.forEach((s, i) => put(round, s, names[i] ?? [], tiling, '(1u - now)'));
  round.line('workgroupBarrier();', origin);
  body.block(`for (var step = 0; step < ${steps}; step++) {`, round);
  sums.forEach((row, i) => {
    row.forEach((name, j) => finish(w, body, name, i, j, tiling, stores));
  });
}

const units = (length: number): number[] => Array.from({ length: length / UNIT }, (_, i) => i);
const sizeOf = (s: Staging): number => pitchOf(s) * s.lines;
const vectorNames = (s: Staging, { threads }: MatrixTiling): string[] =>
  Array.from({ length: (s.lines * s.vectors) / threads }, (_, v) => `${s.name}_next${v}`);

/** The line and the place in it of a thread's v-th vector: neighbouring threads have neighbours. */
const placeOf = (s: Staging, v: number, { threads }: MatrixTiling): { line: string; spot: string } => {
  const id = v > 0 ? `(local + ${v * threads}u)` : 'local';
  return { line: `${id} / ${s.vectors}u`, spot: `${id} % ${s.vectors}u` };
};

/** A thread's vectors of a step; behind the last term they are zero. */
function load(w: Writer, scope: Scope, s: Staging, names: readonly string[], tiling: MatrixTiling, step: string): void {
  const { sum, block } = tiling;
  const terms = extentOf(sum.axes);
  names.forEach((name, v) => {
    const { line, spot } = placeOf(s, v, tiling);
    const one = new Scope(scope);
    const [positionOf, termOf] = s.along ? [line, `${spot} * ${OCTET}u`] : [`${spot} * ${OCTET}u`, line];
    one.line(`let position = ${s.name}_from + i32(${positionOf});`);
    one.line(`let term = ${step} * ${block.depth} + i32(${termOf});`);
    const isWhole = terms % block.depth === 0;
    if (!isWhole) one.line(`${name} = ${STAGED}();`, s.factor.origin);
    const inside = isWhole ? one : new Scope(one, true);
    if (s.octet) {
      const extent = extentOf(s.axes);
      // Behind the last position the last vector is read again; what comes of it is not stored.
      const at = extent % block[s.name] === 0 ? 'position' : `min(position, ${extent - (s.along ? 1 : OCTET)})`;
      inside.line(`let at = ${at};`);
      w.decode(inside, s.axes, 'at');
      w.decode(inside, sum.axes, 'term');
      inside.line(`${name} = ${w.octet(s.octet.buffer, octetPlace(s.octet))};`, s.factor.origin);
    } else halves(w, inside, s, name, tiling);
    if (!isWhole) one.block(`if (term < ${terms}) {`, inside);
    scope.block('{', one);
  });
}

/** Eight values, one by one. */
function halves(w: Writer, scope: Scope, s: Staging, name: string, { sum }: MatrixTiling): void {
  const terms = extentOf(sum.axes);
  for (const half of ['low', 'high']) scope.line(`var ${half} = vec4<f16>();`, s.factor.origin);
  for (let i = 0; i < OCTET; i++) {
    const one = new Scope(scope, true);
    one.line(`let at = min(position${s.along ? '' : ` + ${i}`}, ${extentOf(s.axes) - 1});`);
    w.decode(one, s.axes, 'at');
    if (s.along) one.line(`let term_of = term + ${i};`);
    w.decode(one, sum.axes, s.along ? 'term_of' : 'term');
    one.line(`${i < 4 ? 'low' : 'high'}[${i % 4}] = f16(${w.value(s.factor, one)});`, s.factor.origin);
    scope.block(s.along ? `if (term + ${i} < ${terms}) {` : '{', one);
  }
  scope.line(`${name} = ${STAGED}(bitcast<vec2<u32>>(low), bitcast<vec2<u32>>(high));`, s.factor.origin);
}

function put(scope: Scope, s: Staging, names: readonly string[], tiling: MatrixTiling, buffer: string): void {
  names.forEach((name, v) => {
    const { line, spot } = placeOf(s, v, tiling);
    const start = buffer === '0u' ? '' : `${buffer} * ${sizeOf(s)}u + `;
    scope.line(`${s.name}_staged[${start}${line} * ${pitchOf(s)}u + ${spot}] = ${name};`, s.factor.origin);
  });
}

/** All terms of a step. */
function multiply(scope: Scope, sums: readonly (readonly string[])[], tiling: MatrixTiling, origin: number): void {
  const { rows, columns, block } = tiling;
  for (const k of units(block.depth)) {
    const term = new Scope(scope);
    sums.forEach((_, i) => term.line(`let left${i} = ${matrix('left', rows, i, k)};`, origin));
    sums[0]?.forEach((_, j) => {
      term.line(`let right${j} = ${matrix('right', columns, j, k)};`, origin);
      for (const [i, row] of sums.entries())
        term.line(`${row[j] ?? ''} = subgroupMatrixMultiplyAccumulate(left${i}, right${j}, ${row[j] ?? ''});`, origin);
    });
    scope.block('{', term);
  }
}

/** A unit of a factor: its i-th along the positions of a subgroup, its k-th along the terms of a step. */
function matrix(hand: 'left' | 'right', s: Staging, i: number, k: number): string {
  const position = `(${s.name}_of + ${i * UNIT}u)`;
  const term = k * UNIT;
  const place = s.along ? `${position} * ${pitchOf(s)}u + ${term / OCTET}u` : `${term * pitchOf(s)}u + ${position} / ${OCTET}u`;
  const order = (hand === 'left') === s.along ? 'row_major' : 'col_major';
  const type = `subgroup_matrix_${hand}<f16, ${UNIT}, ${UNIT}>`;
  return `subgroupMatrixLoad<${type}, ${order}>(&${s.name}_staged, now * ${sizeOf(s)}u + ${place}, ${pitchOf(s)}u)`;
}

/** Hands a unit of sums to the subgroup's threads, which store their positions. */
function finish(
  w: Writer,
  body: Scope,
  name: string,
  i: number,
  j: number,
  tiling: MatrixTiling,
  stores: readonly Store[],
): void {
  const { rows, columns, sum, subgroup } = tiling;
  const all = UNIT * UNIT;
  const { origin } = sum;
  body.line(`subgroupMatrixStore<row_major>(&finished, own * ${all}u, ${name}, ${UNIT}u);`, origin);
  body.line('workgroupBarrier();', origin);
  const each = new Scope(body);
  each.line(`let row = rows_from + i32(rows_of) + ${i * UNIT} + spot / ${UNIT};`);
  each.line(`let column = columns_from + i32(columns_of) + ${j * UNIT} + spot % ${UNIT};`);
  const inside = new Scope(each, true);
  w.decode(inside, rows.axes, 'row');
  w.decode(inside, columns.axes, 'column');
  inside.line(`let total = finished[i32(own) * ${all} + spot];`, origin);
  inside.names.set(sum, 'total');
  w.stores(stores, inside);
  each.block(`if (row < ${extentOf(rows.axes)} && column < ${extentOf(columns.axes)}) {`, inside);
  body.block(`for (var spot = i32(place); spot < ${all}; spot += ${subgroup}) {`, each);
  body.line('workgroupBarrier();', origin);
}
