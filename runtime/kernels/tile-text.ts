/**
 * @file The text of a tiled product. In: a tiling, and how values and indices are written. Out: lines that stage both factors
 * and add up a thread's positions. The next step's factors are loaded before this step's are used, so that a
 * device waits for memory while it computes.
 */
import type { Axis } from '../tensor/affine.ts';
import { Scope } from './scope.ts';
import type { Expr, Sum } from './expr.ts';
import type { Store } from './nest.ts';
import { finish, type Sums } from './tile-store.ts';
import { extentOf, factorsOf, isAlongSum, LANES, pitchOf, type Product, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

interface Side {
  readonly name: 'rows' | 'columns';
  readonly axes: readonly Axis[];
  /** Positions of a block, and of a thread. */
  readonly block: number;
  readonly thread: number;
}

/** What the products of a family have on one side, and what it is called. */
interface Factor extends Side {
  readonly value: Expr;
  readonly id: string;
}

export function tiledText(w: Writer, tiling: Tiling, stores: readonly Store[], body: Scope): void {
  const { families, batch, slices, block, thread } = tiling;
  const side = (name: Side['name']): Side => ({ name, axes: tiling[name], block: block[name], thread: thread[name] });
  const sides = [side('rows'), side('columns')] as const;
  const [rows, columns] = sides;
  const across = columns.block / columns.thread;
  const down = rows.block / rows.thread;

  blockPlace(w, body, [columns, rows], tiling.workgroups);
  w.decode(body, batch, 'block');
  body.line('let lane = i32(local);');
  body.line(`let columns_of = lane % ${across};`);
  body.line(`let rows_of = (lane / ${across}) % ${down};`);
  if (slices > 1) body.line(`let slice = lane / ${across * down};`);
  const sums = new Map<Product, Sums>();
  for (const p of families.flat()) {
    const rowOf = (i: number) => Array.from({ length: columns.thread / LANES }, (_, j) => `sum${sums.size}_${i}_${j}`);
    sums.set(
      p,
      Array.from({ length: rows.thread }, (_, i) => rowOf(i)),
    );
  }
  for (const family of families) addFamily(w, body, family, sums, sides, tiling);
  finish(w, body, [...sums.values()], tiling, (position, valueOf) => {
    for (const [{ sum }, names] of sums) position.names.set(sum, valueOf(names));
    w.stores(stores, position);
  });
}

/** Each round loads the terms of one step and adds up those of the step before. */
function addFamily(
  w: Writer,
  body: Scope,
  family: readonly Product[],
  sums: ReadonlyMap<Product, Sums>,
  sides: readonly [Side, Side],
  tiling: Tiling,
): void {
  const [first] = family;
  if (!first) return;
  const { sum } = first;
  const { origin } = sum.body;
  for (const p of family)
    for (const name of sums.get(p)?.flat() ?? []) body.line(`var ${name} = vec4<f32>();`, p.sum.body.origin);
  const round = new Scope(body);
  round.bound.add('step');
  const factors = sides.flatMap((s) => factorsOf(family, s.name).map((value, f) => ({ ...s, value, id: `${s.name}${f || ''}` })));
  const staged = factors.flatMap((f) => load(w, round, f, sum, tiling));
  const use = new Scope(round);
  addUp(use, family, factors, sums, tiling);
  round.block('if (step > 0) {', use);
  round.line('workgroupBarrier();', origin);
  for (const { place, name } of staged) round.line(`${place} = ${name};`, origin);
  round.line('workgroupBarrier();', origin);
  body.block(`for (var step = 0; step <= ${w.p.int(Math.ceil(extentOf(sum.axes) / tiling.block.depth))}; step++) {`, round);
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
function load(w: Writer, round: Scope, s: Factor, sum: Sum, { block: { depth }, threads }: Tiling): Staged[] {
  const { value, id } = s;
  w.preludes.add(`var<workgroup> ${id}_staged: array<vec4<f32>, ${pitch(s) * depth}>;`);
  const terms = extentOf(sum.axes);
  const spots = s.block / LANES;
  const alongSum = isAlongSum(value, sum);
  round.line(`let ${id}_spot = ${alongSum ? `lane / ${depth}` : `lane % ${spots}`};`);
  round.line(`let ${id}_term = ${alongSum ? `lane % ${depth}` : `lane / ${spots}`};`);
  const names = Array.from({ length: (spots * depth) / threads }, (_, v) => `${id}_next${v}`);
  for (const name of names) round.line(`var ${name} = vec4<f32>();`, value.origin);
  const plus = (name: string, distance: number) => (distance > 0 ? `${name} + ${distance}` : name);
  const spotOf = (v: number) => plus(`${id}_spot`, alongSum ? (v * threads) / depth : 0);
  const termOf = (v: number) => plus(`${id}_term`, alongSum ? 0 : (v * threads) / spots);
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
  return names.map((name, v) => ({ name, place: `${id}_staged[(${termOf(v)}) * ${pitch(s)} + ${spotOf(v)}]` }));
}

/** Whether blocks end where the side does. */
const isWhole = (w: Writer, s: Side): boolean => !w.p.active && extentOf(s.axes) % s.block === 0;

/** Written out term by term, so that places in workgroup memory are constant distances. */
function addUp(
  scope: Scope,
  family: readonly Product[],
  factors: readonly Factor[],
  sums: ReadonlyMap<Product, Sums>,
  { block: { depth }, slices }: Tiling,
): void {
  const each = depth / slices;
  for (const f of factors)
    scope.line(`let ${f.id}_at = ${slices > 1 ? `slice * ${each * pitch(f)} + ` : ''}${f.name}_of;`, f.value.origin);
  const idOf = (value: Expr, name: Side['name']) => factors.find((f) => f.value === value && f.name === name)?.id ?? '';
  for (let k = 0; k < each; k++) {
    const term = new Scope(scope);
    for (const f of factors)
      for (let v = 0; v < f.thread / LANES; v++) {
        const place = k * pitch(f) + v * (f.block / f.thread);
        term.line(`let ${f.id}_v${v} = ${f.id}_staged[${f.id}_at + ${place}];`, f.value.origin);
      }
    for (const p of family) {
      const [row, column] = [idOf(p.rows, 'rows'), idOf(p.columns, 'columns')];
      sums.get(p)?.forEach((names, i) => {
        const factor = `vec4<f32>(${row}_v${Math.floor(i / LANES)}[${i % LANES}])`;
        names.forEach((name, j) => term.line(`${name} = fma(${factor}, ${column}_v${j}, ${name});`, p.sum.body.origin));
      });
    }
    scope.block('{', term);
  }
}
