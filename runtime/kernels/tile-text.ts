/**
 * @file The text of a tiled product. In: a tiling, and how values and indices are written. Out: lines that stage both factors,
 * add up a thread's positions and store them. The next step's factors are loaded before this step's are used, so that a
 * device waits for memory while it computes.
 */
import type { Axis } from '../tensor/affine.ts';
import { Scope } from './scope.ts';
import type { Store } from './nest.ts';
import { extentOf, isAlongSum, LANES, pitchOf, type Product, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

interface Side {
  readonly name: 'rows' | 'columns';
  readonly axes: readonly Axis[];
  /** Positions of a block, and of a thread. */
  readonly block: number;
  readonly thread: number;
}

/** Names of a product's running sums: for each row of a thread its vectors. */
type Sums = readonly (readonly string[])[];

export function tiledText(w: Writer, tiling: Tiling, stores: readonly Store[], body: Scope): void {
  const { products, batch, slices, block, thread } = tiling;
  const side = (name: Side['name']): Side => ({ name, axes: tiling[name], block: block[name], thread: thread[name] });
  const sides = [side('rows'), side('columns')] as const;
  const [rows, columns] = sides;
  const across = columns.block / columns.thread;
  const down = rows.block / rows.thread;

  for (const s of sides) w.preludes.add(`var<workgroup> ${s.name}_staged: array<vec4<f32>, ${pitch(s) * block.depth}>;`);
  blockPlace(w, body, [columns, rows], tiling.workgroups);
  w.decode(body, batch, 'block');
  body.line('let lane = i32(local);');
  body.line(`let columns_of = lane % ${across};`);
  body.line(`let rows_of = (lane / ${across}) % ${down};`);
  if (slices > 1) body.line(`let slice = lane / ${across * down};`);
  const sums = products.map((product, p) => {
    const names = Array.from({ length: rows.thread }, (_, i) =>
      Array.from({ length: columns.thread / LANES }, (__, j) => `sum${p}_${i}_${j}`),
    );
    addProduct(w, body, product, names, sides, tiling);
    return names;
  });
  if (slices > 1) addSlices(w, body, sums.flat(2), tiling);
  storeAll(w, body, sides, (position, i, j) => {
    products.forEach(({ sum }, p) => position.names.set(sum, `${sums[p]?.[i]?.[Math.floor(j / LANES)] ?? ''}[${j % LANES}]`));
    w.stores(stores, position);
  });
}

/** Each round loads the terms of one step and adds up those of the step before. */
function addProduct(w: Writer, body: Scope, product: Product, sums: Sums, sides: readonly [Side, Side], tiling: Tiling): void {
  const { depth } = tiling.block;
  const { sum } = product;
  const { origin } = sum.body;
  for (const name of sums.flat()) body.line(`var ${name} = vec4<f32>();`, origin);
  const terms = extentOf(sum.axes);
  const round = new Scope(body);
  round.bound.add('step');
  const staged = sides.map((s) => load(w, round, s, product, tiling)).flat();
  const use = new Scope(round);
  addUp(use, sides, sums, tiling, origin);
  round.block('if (step > 0) {', use);
  round.line('workgroupBarrier();', origin);
  for (const { place, name } of staged) round.line(`${place} = ${name};`, origin);
  round.line('workgroupBarrier();', origin);
  body.block(`for (var step = 0; step <= ${w.p.int(Math.ceil(terms / depth))}; step++) {`, round);
}

/** Which block a workgroup computes, and where it begins. */
function blockPlace(w: Writer, body: Scope, sides: readonly Side[], workgroups: number): void {
  body.line('var block = i32(group.x + group.y * groups.x);');
  body.line(`if (block >= ${w.p.int(workgroups)}) { return; }`);
  for (const s of sides) {
    const blocks = w.p.int(Math.ceil(extentOf(s.axes) / s.block));
    body.line(`let ${s.name}_from = (block % ${blocks}) * ${s.block};`);
    body.line(`block /= ${blocks};`);
  }
}

const pitch = (s: Side): number => pitchOf(s.block);

/** A vector that a thread has loaded, and the place of it in workgroup memory. */
interface Staged {
  readonly name: string;
  readonly place: string;
}

/**
 * A thread's vectors of a step: each holds four positions side by side, from `4 · spot` on, at one term. Threads next to
 * each other read neighbours in memory.
 */
function load(w: Writer, round: Scope, s: Side, product: Product, { block: { depth }, threads }: Tiling): Staged[] {
  const { sum, [s.name]: value } = product;
  const terms = extentOf(sum.axes);
  const spots = s.block / LANES;
  const alongSum = isAlongSum(value, sum);
  round.line(`let ${s.name}_spot = ${alongSum ? `lane / ${depth}` : `lane % ${spots}`};`);
  round.line(`let ${s.name}_term = ${alongSum ? `lane % ${depth}` : `lane / ${spots}`};`);
  const names = Array.from({ length: (spots * depth) / threads }, (_, v) => `${s.name}_next${v}`);
  for (const name of names) round.line(`var ${name} = vec4<f32>();`, value.origin);
  const plus = (name: string, distance: number) => (distance > 0 ? `${name} + ${distance}` : name);
  const spotOf = (v: number) => plus(`${s.name}_spot`, alongSum ? (v * threads) / depth : 0);
  const termOf = (v: number) => plus(`${s.name}_term`, alongSum ? 0 : (v * threads) / spots);
  const whole = !w.p.active && terms % depth === 0;
  const vector = (scope: Scope, name: string, v: number) => {
    for (let lane = 0; lane < LANES; lane++) {
      const one = new Scope(scope);
      const at = `${s.name}_from + (${spotOf(v)}) * ${LANES} + ${lane}`;
      // Behind the last position the last one is read again; what comes of it is not stored.
      one.line(`let at = ${isWhole(w, s) ? at : `min(${at}, ${w.p.int(extentOf(s.axes) - 1, true)})`};`);
      w.decode(one, s.axes, 'at');
      one.line(`${name}[${lane}] = ${w.value(value, one)};`, value.origin);
      scope.block('{', one);
    }
  };
  // Vectors of one term have its place in the sum in common.
  for (const group of alongSum ? [names] : names.map((name) => [name])) {
    const inside = new Scope(round);
    const first = names.indexOf(group[0] ?? '');
    inside.line(`let term = step * ${depth} + ${termOf(first)};`);
    w.decode(inside, sum.axes, 'term');
    group.forEach((name, i) => {
      vector(inside, name, first + i);
    });
    const within = whole ? `step < ${terms / depth}` : `step * ${depth} + ${termOf(first)} < ${w.p.int(terms)}`;
    round.block(`if (${within}) {`, inside);
  }
  return names.map((name, v) => ({ name, place: `${s.name}_staged[(${termOf(v)}) * ${pitch(s)} + ${spotOf(v)}]` }));
}

/** Whether blocks end where the side does. */
const isWhole = (w: Writer, s: Side): boolean => !w.p.active && extentOf(s.axes) % s.block === 0;

/** Written out term by term, so that places in workgroup memory are constant distances. */
function addUp(scope: Scope, sides: readonly [Side, Side], sums: Sums, tiling: Tiling, origin: number): void {
  const each = tiling.block.depth / tiling.slices;
  const [rows, columns] = sides;
  for (const s of sides)
    scope.line(`let ${s.name}_at = ${tiling.slices > 1 ? `slice * ${each * pitch(s)} + ` : ''}${s.name}_of;`, origin);
  for (let k = 0; k < each; k++) {
    const term = new Scope(scope);
    for (const s of [rows, columns])
      for (let v = 0; v < s.thread / LANES; v++) {
        const place = k * pitch(s) + v * (s.block / s.thread);
        term.line(`let ${s.name}${v} = ${s.name}_staged[${s.name}_at + ${place}];`, origin);
      }
    sums.forEach((row, i) => {
      const factor = `vec4<f32>(rows${Math.floor(i / LANES)}[${i % LANES}])`;
      row.forEach((name, j) => term.line(`${name} = fma(${factor}, columns${j}, ${name});`, origin));
    });
    scope.block('{', term);
  }
}

/** The first slice gets what the others have added up. */
function addSlices(w: Writer, body: Scope, sums: readonly string[], { slices, threads }: Tiling): void {
  w.preludes.add(`var<workgroup> slice_sums: array<vec4<f32>, ${threads}>;`);
  const others = Array.from({ length: slices - 1 }, (_, i) => `slice_sums[lane + ${((i + 1) * threads) / slices}]`);
  for (const name of sums) {
    body.line(`slice_sums[lane] = ${name};`);
    body.line('workgroupBarrier();');
    body.line(`if (slice == 0) { ${name} += ${others.join(' + ')}; }`);
    body.line('workgroupBarrier();');
  }
  body.line('if (slice > 0) { return; }');
}

/** Calls `store` for each of a thread's positions, which are in the result. */
function storeAll(
  w: Writer,
  body: Scope,
  [rows, columns]: readonly [Side, Side],
  store: (position: Scope, row: number, column: number) => void,
): void {
  const along = (outer: Scope, s: Side, i: number, then: (inner: Scope) => void): void => {
    const inner = new Scope(outer);
    const spot = `(${s.name}_of + ${(s.block / s.thread) * Math.floor(i / LANES)}) * ${LANES} + ${i % LANES}`;
    const name = s.name === 'rows' ? 'row' : 'column';
    inner.line(`let ${name} = ${s.name}_from + ${spot};`);
    const guarded = isWhole(w, s) ? inner : new Scope(inner, true);
    w.decode(guarded, s.axes, name);
    then(guarded);
    if (guarded !== inner) inner.block(`if (${name} < ${w.p.int(extentOf(s.axes))}) {`, guarded);
    outer.block('{', inner);
  };
  for (let i = 0; i < rows.thread; i++)
    along(body, rows, i, (row) => {
      for (let j = 0; j < columns.thread; j++)
        along(row, columns, j, (position) => {
          store(position, i, j);
        });
    });
}
