/**
 * @file The text of a product by matrix units. In: a tiling, and how values and indices are written. Out: lines that stage both
 * factors as halves, multiply and add up by subgroup, and finish each position in float32. Between memory and the units lie two
 * buffers in workgroup memory; loads for later steps, and matrices for the next products, are on their way at any time.
 */
import { extentOf } from './extents.ts';
import { OCTET, pitchOf, UNIT, type MatrixTiling, type Staging } from './matrices.ts';
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

  const names = sides.map((s) => Array.from({ length: tiling.pace.ahead }, (_, set) => vectorNames(s, set, tiling)));
  for (const name of names.flat(2)) body.line(`var ${name}: ${STAGED};`, origin);
  for (const { hand, type, count } of handsOf(tiling))
    for (const set of [0, 1]) units(count).forEach((i) => body.line(`var ${hand}${set}_${i}: ${type};`, origin));
  steps(w, body, tiling, sums, names);
  sums.forEach((row, i) => {
    row.forEach((name, j) => finish(w, body, name, i, j, tiling, stores));
  });
}

/**
 * While a unit is multiplied, the next one's matrices are loaded, past the barrier between two steps, too. What a step needs was
 * asked for `ahead` steps before it is put into the buffer that is not being multiplied.
 */
function steps(
  w: Writer,
  body: Scope,
  tiling: MatrixTiling,
  sums: readonly (readonly string[])[],
  names: readonly string[][][],
): void {
  const { rows, columns, sum, block, pace } = tiling;
  const { ahead, unroll } = pace;
  const { origin } = sum.body;
  const sides = [rows, columns] as const;
  const count = Math.ceil(extentOf(sum.axes) / block.depth);
  const looped = Math.floor(count / unroll) * unroll;
  const depth = units(block.depth).length;
  const ask = (scope: Scope, set: number, at: string) =>
    sides.forEach((s, i) => load(w, scope, s, names[i]?.[set % ahead] ?? [], tiling, at));
  const fill = (scope: Scope, set: number) =>
    sides.forEach((s, i) => put(scope, s, names[i]?.[set % ahead] ?? [], tiling, set % 2));
  /** The step of which `n` is known but for whole rounds of the loop; `last` of all. */
  const step = (scope: Scope, n: number, at: (n: number) => string | undefined, last: boolean) => {
    for (let k = 0; k < depth; k++) {
      const set = (n * depth + k) % 2;
      if (k + 1 < depth) matrices(scope, 1 - set, n % 2, k + 1, tiling);
      else if (!last) {
        fill(scope, n + 1);
        const further = at(n + 1 + ahead);
        if (further !== undefined) ask(scope, n + 1, further);
        scope.line('workgroupBarrier();', origin);
        matrices(scope, 1 - set, (n + 1) % 2, 0, tiling);
      }
      multiply(scope, set, sums, origin);
    }
  };

  ask(body, 0, '0');
  fill(body, 0);
  for (let n = 1; n <= ahead && n < count; n++) ask(body, n, `${n}`);
  body.line('workgroupBarrier();', origin);
  matrices(body, 0, 0, 0, tiling);
  if (looped > 0) {
    const round = new Scope(body);
    round.bound.add('first');
    // Behind the last step it is loaded again: that is never multiplied.
    const within = (n: number) => `min(first + ${n}, ${count - 1})`;
    for (let n = 0; n < unroll; n++) step(round, n, within, false);
    body.block(`for (var first = 0; first < ${looped}; first += ${unroll}) {`, round);
  }
  const known = (n: number) => (n < count ? `${n}` : undefined);
  for (let n = looped; n < count; n++) step(body, n, known, n === count - 1);
}

const units = (length: number): number[] => Array.from({ length: length / UNIT }, (_, i) => i);
const sizeOf = (s: Staging): number => pitchOf(s) * s.lines;
const vectorNames = (s: Staging, set: number, { threads }: MatrixTiling): string[] =>
  Array.from({ length: (s.lines * s.vectors) / threads }, (_, v) => `${s.name}_next${set}_${v}`);

/** The line and the place in it of a thread's v-th vector: neighbouring threads have neighbours. */
const placeOf = (s: Staging, v: number, { threads }: MatrixTiling): { line: string; spot: string } => {
  const id = v > 0 ? `(local + ${v * threads}u)` : 'local';
  return { line: `${id} / ${s.vectors}u`, spot: `${id} % ${s.vectors}u` };
};

/** A thread's vectors of a step; behind the last term they are zero. */
function load(w: Writer, scope: Scope, s: Staging, names: readonly string[], tiling: MatrixTiling, step: string): void {
  const { sum, block } = tiling;
  const terms = extentOf(sum.axes);
  // What lies in a vector is counted in vectors, if memory has them.
  const each = s.octet ? OCTET : 1;
  names.forEach((name, v) => {
    const { line, spot } = placeOf(s, v, tiling);
    const one = new Scope(scope);
    const across = `i32(${spot})${s.octet ? '' : ` * ${OCTET}`}`;
    const down = `i32(${line})`;
    one.line(`let position = ${s.name}_from${s.along ? ` + ${down}` : ` / ${each} + ${across}`};`);
    one.line(`let term = ${step} * ${s.along ? `${block.depth / each} + ${across}` : `${block.depth} + ${down}`};`);
    const isWhole = terms % block.depth === 0;
    if (!isWhole) one.line(`${name} = ${STAGED}();`, s.factor.origin);
    const inside = isWhole ? one : new Scope(one, true);
    if (s.octet) {
      const extent = extentOf(s.axes);
      // Behind the last position the last vector is read again; what comes of it is not stored.
      const last = (s.along ? extent : extent / OCTET) - 1;
      inside.line(`let at = ${extent % block[s.name] === 0 ? 'position' : `min(position, ${last})`};`);
      w.decode(inside, s.along ? s.axes : s.octet.axes, 'at');
      w.decode(inside, s.along ? s.octet.axes : sum.axes, 'term');
      inside.line(`${name} = ${w.octet(s.octet.buffer, s.octet.place)};`, s.factor.origin);
    } else halves(w, inside, s, name, tiling);
    if (!isWhole) one.block(`if (term < ${s.along ? terms / each : terms}) {`, inside);
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

function put(scope: Scope, s: Staging, names: readonly string[], tiling: MatrixTiling, buffer: number): void {
  names.forEach((name, v) => {
    const { line, spot } = placeOf(s, v, tiling);
    scope.line(`${s.name}_staged[${buffer * sizeOf(s)}u + ${line} * ${pitchOf(s)}u + ${spot}] = ${name};`, s.factor.origin);
  });
}

/** What a subgroup multiplies at once: matrices of its rows by matrices of its columns. */
function handsOf({ rows, columns, part }: MatrixTiling) {
  const hands = [
    { hand: 'left', s: rows, count: part.rows },
    { hand: 'right', s: columns, count: part.columns },
  ] as const;
  return hands.map((one) => ({ ...one, type: `subgroup_matrix_${one.hand}<f16, ${UNIT}, ${UNIT}>` }));
}

/** Loads a subgroup's matrices of the k-th unit of terms in a buffer. */
function matrices(scope: Scope, set: number, buffer: number, k: number, tiling: MatrixTiling): void {
  const term = k * UNIT;
  for (const { hand, s, count, type } of handsOf(tiling)) {
    const order = (hand === 'left') === s.along ? 'row_major' : 'col_major';
    const [start, pitch] = [buffer * sizeOf(s), pitchOf(s)];
    units(count).forEach((i) => {
      const position = `(${s.name}_of + ${i * UNIT}u)`;
      const place = s.along
        ? `${start + term / OCTET}u + ${position} * ${pitch}u`
        : `${start + term * pitch}u + ${position} / ${OCTET}u`;
      const matrix = `subgroupMatrixLoad<${type}, ${order}>(&${s.name}_staged, ${place}, ${pitch}u)`;
      scope.line(`${hand}${set}_${i} = ${matrix};`, tiling.sum.body.origin);
    });
  }
}

/** All products of a set of matrices. */
function multiply(scope: Scope, set: number, sums: readonly (readonly string[])[], origin: number): void {
  sums[0]?.forEach((_, j) => {
    sums.forEach((row, i) => {
      const name = row[j] ?? '';
      scope.line(`${name} = subgroupMatrixMultiplyAccumulate(left${set}_${i}, right${set}_${j}, ${name});`, origin);
    });
  });
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
  const { rows, columns, block, sum, subgroup } = tiling;
  const all = UNIT * UNIT;
  const { origin } = sum;
  body.line(`subgroupMatrixStore<row_major>(&finished, own * ${all}u, ${name}, ${UNIT}u);`, origin);
  body.line('workgroupBarrier();', origin);
  const each = new Scope(body);
  each.line(`let spot = turn * ${subgroup} + i32(place);`);
  each.line(`let row = rows_from + i32(rows_of) + ${i * UNIT} + spot / ${UNIT};`);
  each.line(`let column = columns_from + i32(columns_of) + ${j * UNIT} + spot % ${UNIT};`);
  const inside = new Scope(each, true);
  w.decode(inside, rows.axes, 'row');
  w.decode(inside, columns.axes, 'column');
  inside.line(`let total = finished[i32(own) * ${all} + spot];`, origin);
  inside.names.set(sum, 'total');
  w.stores(stores, inside);
  const within = [rows, columns].map((s) => [s.name === 'rows' ? 'row' : 'column', extentOf(s.axes), block[s.name]] as const);
  const tests = within.filter(([, extent, size]) => extent % size > 0).map(([place, extent]) => `${place} < ${extent}`);
  each.block(tests.length > 0 ? `if (${tests.join(' && ')}) {` : '{', inside);
  body.block(`for (var turn = 0; turn < ${all / subgroup}; turn++) {`, each);
  body.line('workgroupBarrier();', origin);
}
