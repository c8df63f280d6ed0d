/**
 * @file The text of a tiled product. In: a tiling, and how values and indices are written. Out: lines that stage both factors
 * and add up a thread's positions. The next step's factors are loaded before this step's are used, so that a
 * device waits for memory while it computes.
 */
import type { Axis } from '../tensor/affine.ts';
import { extentOf } from './extents.ts';
import { Scope } from './scope.ts';
import type { Expr, Sum } from './expr.ts';
import type { Store } from './nest.ts';
import { finish, type Sums } from './tile-store.ts';
import { isAlongSum, isFilled, LANES, partsAlong, pitchOf, type Family, type SideName, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

/** On an H100 36 rounds of a convolution took a tenth less so, 32 of a product up to a quarter more. */
const PEELED = 33;

/** What is multiplied step by step. */
export type Stepped = Pick<Tiling, 'block' | 'parts' | 'slices' | 'threads' | SideName>;

export interface Side {
  readonly name: SideName;
  readonly axes: readonly Axis[];
  /** Numbers of a block for one term, and of a thread: positions, or their parts. */
  readonly block: number;
  readonly thread: number;
  /** Parts of a position, one beside the other. */
  readonly parts: number;
}

export function tiledText(w: Writer, tiling: Tiling, stores: readonly Store[], body: Scope): void {
  const { families, batch, slices, block, thread } = tiling;
  const side = (name: SideName): Side => ({
    name,
    axes: tiling[name],
    block: block[name],
    thread: thread[name],
    parts: partsAlong(tiling, name),
  });
  const sides = [side('rows'), side('columns')] as const;
  const [rows, columns] = sides;
  const across = columns.block / columns.thread;
  const down = rows.block / rows.thread;

  blockPlace(w, body, [columns, rows], tiling);
  w.decode(body, batch, 'block');
  body.line('let lane = i32(local);');
  body.line(`let columns_of = lane % ${across};`);
  body.line(`let rows_of = (lane / ${across}) % ${down};`);
  if (slices > 1) body.line(`let slice = lane / ${across * down};`);
  for (const s of sides) w.preludes.add(`var<workgroup> ${s.name}_staged: array<vec4<f32>, ${pitch(s) * block.depth}>;`);
  const sums = families.map((family, f): Sums => {
    const rowOf = (i: number) => Array.from({ length: columns.thread / LANES }, (_, j) => `sum${f}_${i}_${j}`);
    const names = Array.from({ length: rows.thread }, (_, i) => rowOf(i));
    addFamily(w, body, family, names, sides, tiling, PEELED);
    return names;
  });
  finish(w, body, sums, tiling, (position, valueOf) => {
    families.forEach((family, f) => {
      family.sums.forEach((sum, part) => position.names.set(sum, valueOf(f, part)));
    });
    w.stores(stores, position);
  });
}

/**
 * Each round loads the terms of one step and adds up those of the step before. Where there are `peeled` rounds or more, and all are
 * whole, the first step is loaded before them and the last one added up behind them, so that none has a condition.
 */
export function addFamily(
  w: Writer,
  body: Scope,
  family: Family,
  sums: Sums,
  sides: readonly [Side, Side],
  tiling: Stepped,
  peeled = Infinity,
): void {
  const { depth } = tiling.block;
  const [sum] = family.sums;
  const { origin } = sum.body;
  const terms = extentOf(sum.axes);
  const steps = Math.ceil(terms / depth);
  const isPeeled = w.p.fixed(sum.axes) && terms % depth === 0 && steps >= peeled;
  const inRound = () => {
    const scope = new Scope(body);
    scope.bound.add('step');
    return scope;
  };
  const loaded = (scope: Scope) => sides.flatMap((s) => load(w, scope, s, family[s.name], sum, tiling, { all: isPeeled }));
  const staged = (scope: Scope, all: readonly Staged[]) => {
    for (const { place, name } of all) scope.line(`${place} = ${name};`, origin);
    scope.line('workgroupBarrier();', origin);
  };
  for (const name of sums.flat()) body.line(`var ${name} = vec4<f32>();`, origin);
  if (isPeeled) {
    const first = inRound();
    first.line('let step = 0;', origin);
    staged(first, loaded(first));
    body.block('{', first);
  }
  const round = inRound();
  const next = loaded(round);
  const use = new Scope(round);
  addUp(use, sides, sums, tiling, origin);
  round.block(isPeeled ? '{' : 'if (step > 0) {', use);
  round.line('workgroupBarrier();', origin);
  staged(round, next);
  const until = isPeeled ? `< ${steps}` : `<= ${w.p.derived(steps, sum.axes)}`;
  body.block(`for (var step = ${isPeeled ? 1 : 0}; step ${until}; step++) {`, round);
  if (!isPeeled) return;
  const last = new Scope(body);
  addUp(last, sides, sums, tiling, origin);
  // The next sum puts its terms where these are still being read.
  last.line('workgroupBarrier();', origin);
  body.block('{', last);
}

/** Which block a workgroup computes, and where it begins. */
export function blockPlace(
  w: Writer,
  body: Scope,
  sides: readonly Pick<Side, 'name' | 'axes' | 'block' | 'parts'>[],
  { batch, workgroups }: Pick<Tiling, 'batch' | 'workgroups'>,
): void {
  body.line(`var block = ${w.group};`);
  const axes = [...batch, ...sides.flatMap((s) => s.axes)];
  body.line(`if (block >= ${w.p.derived(workgroups, axes)}) { return; }`);
  for (const s of sides) {
    const positions = s.block / s.parts;
    const blocks = w.p.derived(Math.ceil(extentOf(s.axes) / positions), s.axes);
    body.line(`let ${s.name}_from = (block % ${blocks}) * ${positions};`);
    body.line(`block /= ${blocks};`);
  }
}

const pitch = (s: Pick<Side, 'block'>): number => pitchOf(s.block);

/** A vector that a thread has loaded, and the place of it in workgroup memory. */
interface Staged {
  readonly name: string;
  readonly place: string;
}

/**
 * A thread's vectors of a step: each holds what lies side by side, from place `4 · spot` on, at one term. Threads next to each
 * other read neighbours in memory. `when` is text for which of the steps are loaded, where not all are; where `all` are, each is
 * whole and one of the sum's.
 */
export function load(
  w: Writer,
  round: Scope,
  s: Side,
  factors: readonly Expr[],
  sum: Sum,
  tiling: Stepped,
  { all = false, when }: { readonly all?: boolean; readonly when?: string } = {},
): Staged[] {
  const { name: id } = s;
  const { threads } = tiling;
  const { depth } = tiling.block;
  const origin = factors[0]?.origin;
  const terms = extentOf(sum.axes);
  const spots = s.block / LANES;
  const alongSum = factors.some((f) => isAlongSum(f, sum));
  round.line(`let ${id}_spot = ${alongSum ? `lane / ${depth}` : `lane % ${spots}`};`);
  round.line(`let ${id}_term = ${alongSum ? `lane % ${depth}` : `lane / ${spots}`};`);
  const names = Array.from({ length: (spots * depth) / threads }, (_, v) => `${id}_next${v}`);
  for (const name of names) round.line(`var ${name} = vec4<f32>();`, origin);
  const plus = (name: string, distance: number) => (distance > 0 ? `${name} + ${distance}` : name);
  const spotOf = (v: number) => plus(`${id}_spot`, alongSum ? (v * threads) / depth : 0);
  const termOf = (v: number) => plus(`${id}_term`, alongSum ? 0 : (v * threads) / spots);
  const whole = w.p.fixed(sum.axes) && terms % depth === 0;
  const isEven = w.p.fixed(s.axes) && isFilled(tiling, id);
  const vector = (scope: Scope, name: string, v: number) => {
    const positions = LANES / s.parts;
    for (let i = 0; i < positions; i++) {
      const one = new Scope(scope);
      const at = `${id}_from + (${spotOf(v)}) * ${positions} + ${i}`;
      // Behind the last position the last one is read again; what comes of it is not stored.
      one.line(`let at = ${isEven ? at : `min(${at}, ${w.p.int(extentOf(s.axes) - 1, true)})`};`);
      w.decode(one, s.axes, 'at');
      factors.forEach((f, part) => {
        one.line(`${name}[${i * s.parts + part}] = ${w.value(f, one)};`, f.origin);
      });
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
    const tests = [...(all ? [] : [within]), ...(when === undefined ? [] : [when])];
    round.block(tests.length > 0 ? `if (${tests.join(' && ')}) {` : '{', inside);
  }
  return names.map((name, v) => ({ name, place: `${id}_staged[(${termOf(v)}) * ${pitch(s)} + ${spotOf(v)}]` }));
}

/** Written out term by term, so that places in workgroup memory are constant distances. */
function addUp(
  scope: Scope,
  sides: readonly [Side, Side],
  sums: Sums,
  { block: { depth }, slices }: Stepped,
  origin: number,
): void {
  const each = depth / slices;
  for (const s of sides)
    scope.line(`let ${s.name}_at = ${slices > 1 ? `slice * ${each * pitch(s)} + ` : ''}${s.name}_of;`, origin);
  for (let k = 0; k < each; k++) {
    const term = new Scope(scope);
    for (const s of sides)
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
