/**
 * @file How a block of a tiled product is finished. In: the running sums of a thread. Out: lines that add up what slices have,
 * of which each finishes an equal share of the positions, and that store every position which lies in the result.
 */
import { Scope } from './scope.ts';
import { extentOf, HANDED, LANES, partsAlong, type SideName, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

/** Names of a family's running sums: for each row of a thread its vectors. */
export type Sums = readonly (readonly string[])[];

/** The text of a family's sum for a part, at a position. */
type ValueOf = (family: number, part: number) => string;
type Store = (position: Scope, valueOf: ValueOf) => void;

/** Calls `store` for each position of a thread, with what gives the value of a sum there. */
export function finish(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, store: Store): void {
  if (tiling.slices > 1) return finishShare(w, body, sums, tiling, store);
  const [rows, columns] = [partsAlong(tiling, 'rows'), partsAlong(tiling, 'columns')];
  for (let r = 0; r < tiling.thread.rows / rows; r++)
    along(w, body, tiling, 'rows', spotAt(tiling, 'rows', r), (row) => {
      for (let c = 0; c < tiling.thread.columns / columns; c++)
        along(w, row, tiling, 'columns', spotAt(tiling, 'columns', c), (position) => {
          store(position, (family, part) => {
            const [i, j] = [r * rows + (rows > 1 ? part : 0), c * columns + (columns > 1 ? part : 0)];
            return `${sums[family]?.[i]?.[Math.floor(j / LANES)] ?? ''}[${j % LANES}]`;
          });
        });
    });
}

/** Each slice adds up, and stores, its share of the positions. */
function finishShare(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, store: Store): void {
  const { thread, slices, parts } = tiling;
  const each = (thread.rows * thread.columns) / parts.room / slices;
  const columns = thread.columns / partsAlong(tiling, 'columns');
  handOver(w, body, sums, tiling, each);
  for (let q = 0; q < each; q++) {
    const inner = new Scope(body);
    inner.line(`let place = slice * ${each} + ${q};`);
    along(w, inner, tiling, 'rows', spotOf(tiling, 'rows', `(place / ${columns})`), (guarded) => {
      along(w, guarded, tiling, 'columns', spotOf(tiling, 'columns', `(place % ${columns})`), (position) => {
        store(position, (family, part) => ownName(family, part, q));
      });
    });
    body.block('{', inner);
  }
}

/** A slice's total for the q-th of its positions. */
const ownName = (family: number, part: number, q: number): string => `own${family}_${part}_${q}`;

function handOver(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, each: number): void {
  const { threads, slices, families } = tiling;
  w.preludes.add(`var<workgroup> slice_sums: array<vec4<f32>, ${threads * HANDED}>;`);
  families.forEach((family, f) => {
    family.sums.forEach((sum, part) => {
      for (let q = 0; q < each; q++) body.line(`var ${ownName(f, part, q)} = 0.0f;`, sum.body.origin);
    });
  });
  body.line(`let twin = lane % ${threads / slices};`);
  const vectors = sums.flatMap((s, family) => s.flatMap((row, i) => row.map((name, j) => ({ name, family, i, j }))));
  for (let first = 0; first < vectors.length; first += HANDED) {
    const handed = vectors.slice(first, first + HANDED);
    handed.forEach(({ name }, g) => {
      body.line(`slice_sums[lane + ${g * threads}] = ${name};`);
    });
    body.line('workgroupBarrier();');
    handed.forEach(({ family, i, j }, g) => {
      const terms = Array.from({ length: slices }, (_, k) => `slice_sums[twin + ${g * threads + (k * threads) / slices}]`);
      const lanes = Array.from({ length: LANES }, (_, lane) => ({ lane, ...placeOf(tiling, i, j * LANES + lane) }));
      const kept = lanes.filter(({ part }) => part < (families[family]?.sums.length ?? 0));
      for (const slice of new Set(kept.map(({ place }) => Math.floor(place / each)))) {
        const owner = new Scope(body);
        owner.line(`let total = ${terms.join(' + ')};`);
        for (const { lane, place, part } of kept)
          if (Math.floor(place / each) === slice) owner.line(`${ownName(family, part, place % each)} = total[${lane}];`);
        body.block(`if (slice == ${slice}) {`, owner);
      }
    });
    body.line('workgroupBarrier();');
  }
}

/** Which of a thread's positions, and which part of it, its number in row `i` and column `j` is. */
function placeOf(tiling: Tiling, i: number, j: number): { place: number; part: number } {
  const [rows, columns] = [partsAlong(tiling, 'rows'), partsAlong(tiling, 'columns')];
  const place = Math.floor(i / rows) * (tiling.thread.columns / columns) + Math.floor(j / columns);
  return { place, part: rows > 1 ? i % rows : j % columns };
}

const vectorsApart = ({ block, thread }: Tiling, side: SideName): number => block[side] / thread[side];
/** Positions in a vector. */
const lanesOf = (tiling: Tiling, side: SideName): number => LANES / partsAlong(tiling, side);

/** The place in the block of the thread's i-th position along a side: its vectors lie as far apart as there are threads. */
function spotAt(tiling: Tiling, side: SideName, i: number): string {
  const lanes = lanesOf(tiling, side);
  return `(${side}_of + ${vectorsApart(tiling, side) * Math.floor(i / lanes)}) * ${lanes} + ${i % lanes}`;
}

const spotOf = (tiling: Tiling, side: SideName, i: string): string => {
  const lanes = lanesOf(tiling, side);
  return tiling.thread[side] > LANES
    ? `(${side}_of + ${vectorsApart(tiling, side)} * (${i} / ${lanes})) * ${lanes} + ${i} % ${lanes}`
    : `${side}_of * ${lanes} + ${i}`;
};

/** Gives the axes of a side their values; what lies behind its end is left out. */
function along(w: Writer, outer: Scope, tiling: Tiling, side: SideName, spot: string, then: (inner: Scope) => void): void {
  const inner = new Scope(outer);
  const axes = tiling[side];
  const name = side === 'rows' ? 'row' : 'column';
  inner.line(`let ${name} = ${side}_from + ${spot};`);
  const whole = !w.p.active && extentOf(axes) % (tiling.block[side] / partsAlong(tiling, side)) === 0;
  const guarded = whole ? inner : new Scope(inner, true);
  w.decode(guarded, axes, name);
  then(guarded);
  if (guarded !== inner) inner.block(`if (${name} < ${w.p.int(extentOf(axes))}) {`, guarded);
  outer.block('{', inner);
}
