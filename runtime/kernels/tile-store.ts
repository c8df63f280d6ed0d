/**
 * @file How a block of a tiled product is finished. In: the running sums of a thread. Out: lines that add up what slices have,
 * of which each finishes an equal share of the positions, and that store every position which lies in the result.
 */
import { extentOf } from './extents.ts';
import { Scope } from './scope.ts';
import { HANDED, isFilled, LANES, partsAlong, positionsOf, type SideName, type Tiling } from './tiles.ts';
import type { Writer } from './writer.ts';

/** Names of a family's running sums: for each row of a thread its vectors. */
export type Sums = readonly (readonly string[])[];

/** The text of a family's sum for a part, at a position. */
type ValueOf = (family: number, part: number) => string;

/** What says where the positions of a thread lie. */
export type Placed = Pick<Tiling, 'block' | 'thread' | 'parts' | 'rows' | 'columns'>;

/** A position of a thread: where it lies in the block, after what lines, and the values of its sums. */
interface Place {
  readonly before: readonly string[];
  readonly spots: Readonly<Record<SideName, string>>;
  readonly valueOf: ValueOf;
}

/** Calls `store` for each position of a thread; with slices each adds up, and stores, its share. */
export function finish(
  w: Writer,
  body: Scope,
  sums: readonly Sums[],
  tiling: Tiling,
  store: (position: Scope, valueOf: ValueOf) => void,
): void {
  const places = tiling.slices > 1 ? shareOf(w, body, sums, tiling) : allOf(sums, tiling);
  for (const place of places)
    at(w, body, tiling, place, (position) => {
      store(position, place.valueOf);
    });
}

/** All positions of a thread. */
function allOf(sums: readonly Sums[], tiling: Tiling): Place[] {
  const [rows, columns] = [partsAlong(tiling, 'rows'), partsAlong(tiling, 'columns')];
  const places: Place[] = [];
  for (let r = 0; r < tiling.thread.rows / rows; r++)
    for (let c = 0; c < tiling.thread.columns / columns; c++)
      places.push({
        before: [],
        spots: { rows: spotAt(tiling, 'rows', r), columns: spotAt(tiling, 'columns', c) },
        valueOf: (family, part) => {
          const [i, j] = [r * rows + (rows > 1 ? part : 0), c * columns + (columns > 1 ? part : 0)];
          return `${sums[family]?.[i]?.[Math.floor(j / LANES)] ?? ''}[${j % LANES}]`;
        },
      });
  return places;
}

/** The positions of a slice, which gets what the others have added up for them. */
function shareOf(w: Writer, body: Scope, sums: readonly Sums[], tiling: Tiling): Place[] {
  const each = positionsOf(tiling);
  const columns = tiling.thread.columns / partsAlong(tiling, 'columns');
  handOver(w, body, sums, tiling, each);
  return Array.from({ length: each }, (_, q) => ({
    before: [`let place = slice * ${each} + ${q};`],
    spots: {
      rows: spotOf(tiling, 'rows', `(place / ${columns})`),
      columns: spotOf(tiling, 'columns', `(place % ${columns})`),
    },
    valueOf: (family, part) => ownName(family, part, q),
  }));
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

const vectorsApart = ({ block, thread }: Placed, side: SideName): number => block[side] / thread[side];
/** Positions in a vector. */
const lanesOf = (tiling: Placed, side: SideName): number => LANES / partsAlong(tiling, side);

/** The place in the block of the thread's i-th position along a side: its vectors lie as far apart as there are threads. */
export function spotAt(tiling: Placed, side: SideName, i: number): string {
  const lanes = lanesOf(tiling, side);
  return `(${side}_of + ${vectorsApart(tiling, side) * Math.floor(i / lanes)}) * ${lanes} + ${i % lanes}`;
}

const spotOf = (tiling: Tiling, side: SideName, i: string): string => {
  const lanes = lanesOf(tiling, side);
  return tiling.thread[side] > LANES
    ? `(${side}_of + ${vectorsApart(tiling, side)} * (${i} / ${lanes})) * ${lanes} + ${i} % ${lanes}`
    : `${side}_of * ${lanes} + ${i}`;
};

/** A block of its own for a position, with a value for each axis; what lies behind the end of a side is left out. */
export function at(
  w: Writer,
  outer: Scope,
  tiling: Placed,
  { before, spots }: Pick<Place, 'before' | 'spots'>,
  then: (position: Scope) => void,
): void {
  const scope = new Scope(outer);
  for (const line of before) scope.line(line);
  const ends = (['rows', 'columns'] as const).flatMap((side) => {
    const name = side === 'rows' ? 'row' : 'column';
    const extent = extentOf(tiling[side]);
    scope.line(`let ${name} = ${side}_from + ${spots[side]};`);
    return w.p.fixed(tiling[side]) && isFilled(tiling, side) ? [] : [`${name} < ${w.p.int(extent)}`];
  });
  const guarded = ends.length > 0 ? new Scope(scope, true) : scope;
  w.decode(guarded, tiling.rows, 'row');
  w.decode(guarded, tiling.columns, 'column');
  then(guarded);
  if (guarded !== scope) scope.block(`if (${ends.join(' && ')}) {`, guarded);
  outer.block('{', scope);
}
