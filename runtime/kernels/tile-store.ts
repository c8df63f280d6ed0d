/**
 * @file How a block of a tiled product is finished. In: the running sums of a thread. Out: lines that add up what slices have,
 * of which each finishes an equal share of the positions, and that store every position which lies in the result.
 */
import { Scope } from './scope.ts';
import { extentOf, HANDED, LANES, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

/** Names of a product's running sums: for each row of a thread its vectors. */
export type Sums = readonly (readonly string[])[];

type SideName = 'rows' | 'columns';
type Store = (position: Scope, valueOf: (sums: Sums) => string) => void;

/** Calls `store` for each position of a thread, with what gives the value of a sum there. */
export function finish(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, store: Store): void {
  const { thread, slices } = tiling;
  if (slices > 1) return finishShare(w, body, sums, tiling, store);
  for (let i = 0; i < thread.rows; i++)
    along(w, body, tiling, 'rows', staticSpot(tiling, 'rows', i), (row) => {
      for (let j = 0; j < thread.columns; j++)
        along(w, row, tiling, 'columns', staticSpot(tiling, 'columns', j), (position) => {
          store(position, (s) => `${s[i]?.[Math.floor(j / LANES)] ?? ''}[${j % LANES}]`);
        });
    });
}

/** Each slice adds up, and stores, its share of the positions. */
function finishShare(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, store: Store): void {
  const { thread, slices } = tiling;
  const each = (thread.rows * thread.columns) / slices;
  const owned = handOver(w, body, sums, tiling, each);
  for (let q = 0; q < each; q++) {
    const inner = new Scope(body);
    inner.line(`let place = slice * ${each} + ${q};`);
    const row = spotOf(tiling, 'rows', `(place / ${thread.columns})`);
    along(w, inner, tiling, 'rows', row, (guarded) => {
      along(w, guarded, tiling, 'columns', spotOf(tiling, 'columns', `(place % ${thread.columns})`), (position) => {
        store(position, (s) => owned.get(s)?.[q] ?? '');
      });
    });
    body.block('{', inner);
  }
}

/** Gives for each product the names of a slice's own positions. */
function handOver(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling, each: number): Map<Sums, string[]> {
  const { thread, threads, slices } = tiling;
  w.preludes.add(`var<workgroup> slice_sums: array<vec4<f32>, ${threads * HANDED}>;`);
  const owned = new Map(sums.map((s, p) => [s, Array.from({ length: each }, (_, q) => `own${p}_${q}`)]));
  for (const name of [...owned.values()].flat()) body.line(`var ${name} = 0.0f;`);
  body.line(`let twin = lane % ${threads / slices};`);
  const vectors = sums.flatMap((s) =>
    s.flatMap((row, i) => row.map((name, j) => ({ name, from: i * thread.columns + j * LANES, names: owned.get(s) ?? [] }))),
  );
  for (let first = 0; first < vectors.length; first += HANDED) {
    const handed = vectors.slice(first, first + HANDED);
    handed.forEach(({ name }, g) => {
      body.line(`slice_sums[lane + ${g * threads}] = ${name};`);
    });
    body.line('workgroupBarrier();');
    handed.forEach(({ from, names }, g) => {
      const terms = Array.from({ length: slices }, (_, i) => `slice_sums[twin + ${g * threads + (i * threads) / slices}]`);
      for (let slice = Math.floor(from / each); slice * each < from + LANES; slice++) {
        const owner = new Scope(body);
        owner.line(`let total = ${terms.join(' + ')};`);
        for (let c = 0; c < LANES; c++) {
          const q = from + c - slice * each;
          if (q >= 0 && q < each) owner.line(`${names[q] ?? ''} = total[${c}];`);
        }
        body.block(`if (slice == ${slice}) {`, owner);
      }
    });
    body.line('workgroupBarrier();');
  }
  return owned;
}

const vectorsApart = ({ block, thread }: Tiling, side: SideName): number => block[side] / thread[side];

/** The place in the block of the thread's i-th position along a side: vectors of four, as many threads apart as there are. */
const staticSpot = (tiling: Tiling, side: SideName, i: number): string =>
  `(${side}_of + ${vectorsApart(tiling, side) * Math.floor(i / LANES)}) * ${LANES} + ${i % LANES}`;

const spotOf = (tiling: Tiling, side: SideName, i: string): string =>
  tiling.thread[side] > LANES
    ? `(${side}_of + ${vectorsApart(tiling, side)} * (${i} / ${LANES})) * ${LANES} + ${i} % ${LANES}`
    : `${side}_of * ${LANES} + ${i}`;

/** Gives the axes of a side their values; what lies behind its end is left out. */
function along(w: Writer, outer: Scope, tiling: Tiling, side: SideName, spot: string, then: (inner: Scope) => void): void {
  const inner = new Scope(outer);
  const axes = tiling[side];
  const name = side === 'rows' ? 'row' : 'column';
  inner.line(`let ${name} = ${side}_from + ${spot};`);
  const whole = !w.p.active && extentOf(axes) % tiling.block[side] === 0;
  const guarded = whole ? inner : new Scope(inner, true);
  w.decode(guarded, axes, name);
  then(guarded);
  if (guarded !== inner) inner.block(`if (${name} < ${w.p.int(extentOf(axes))}) {`, guarded);
  outer.block('{', inner);
}
