/**
 * @file Rows: nests in which every sum depends on the same few axes only, such as a softmax of the last dim. In: a nest and
 * what the device is. Out: its rows, with sums and stores over one flat axis each, and how many threads share a row. A sum
 * is computed once for its row; whatever else the row needs is computed anew by each sum that needs it, or kept.
 */
import { axis, fromAxis, substitute, unflatten, type Axis, type Index } from '../tensor/affine.ts';
import type { DeviceKind } from '../profile/model.ts';
import { everyExpr, everyUnder, replaceAxes } from './axes.ts';
import { extentOf, typicalOf, vary } from './extents.ts';
import { children, withChildren, type Expr, type Sum } from './expr.ts';
import type { Nest, Store } from './nest.ts';
import { QUAD, quadsAlong } from './quads.ts';

export interface Rows {
  /** Its axes are those of the rows; its stores, over `columns`, are made for each row. */
  readonly nest: Nest;
  /** How many rows. */
  readonly count: number;
  readonly columns: Axis;
  /** The sums of a row, each over one flat axis: those of one family in one loop, after those that they need. */
  readonly families: readonly (readonly Sum[])[];
  /** Whether neighbours in memory are neighbours in a row, and not the same place of neighbouring rows. */
  readonly along: boolean;
}

export interface RowPlan extends Rows {
  /** Threads that share a row; a power of two. */
  readonly lanes: number;
  /** Rows of a workgroup. */
  readonly together: number;
  /** Whether the places of a thread are written out, so that it loads and computes each once; else they are loops. */
  readonly written: boolean;
  /** Buffers whose elements a thread accesses in fours: its places are then fours side by side. */
  readonly quads?: ReadonlySet<number>;
}

/** Sums of up to this many terms may be computed anew for each place of a row, or inside another sum. */
export const SHORT_SUM = 32;
/** Longer rows leave most of a device idle. */
export const LONGEST_ROW = 1 << 16;
/** Rows across memory stay with one thread each up to the first length. Of longer ones a workgroup has so many neighbours at least. */
const SHORT_ACROSS = 32;
export const LONGEST_ACROSS = 1024;
const FEWEST_ACROSS = 8;
/** Texts of more expressions, as of joins of many parts, take a CPU minutes to compile with meetings of threads around them. */
const MOST_ACROSS = 96;
/** So many terms for each store of a row make it a row of its terms. */
const FEW_STORES = 4;
/** Sums that need each other in turn: each computes anew what those before it had. */
const MOST_FAMILIES = 8;
/** Places of a row for each of its threads, until a workgroup is full. */
const PLACES = 8;
const LANES: Readonly<Record<DeviceKind, number>> = { gpu: 256, software: 64, reference: 1 };
/** With so many rows a CPU is busy with one thread for each, which waits for no other. */
const ROWS_ALONE: Readonly<Record<DeviceKind, number>> = { gpu: Infinity, software: 128, reference: 0 };
const THREADS = 64;
/** A thread's places are written out where they are few, and so is the text. A CPU gains little and compiles slowly. */
const WRITTEN_PLACES: Readonly<Record<DeviceKind, number>> = { gpu: 32, software: 0, reference: 0 };
const WRITTEN_TEXT = 4096;
/** The longest row along memory of which each thread of a GPU keeps what it has loaded; across memory all rows are such. */
export const LONGEST_KEPT = LANES.gpu * WRITTEN_PLACES.gpu;

const within = (free: ReadonlyMap<string, unknown>, keys: ReadonlySet<string>) => [...free.keys()].every((k) => keys.has(k));

/**
 * The nest by rows; undefined where its sums depend on different axes, or rows are not worth it. With `alone` also where a row
 * has one place, whose sums read nothing that other rows read.
 */
export function rowsOf(nest: Nest, alone = false): Rows | undefined {
  const every = new Set(nest.axes.map((a) => a.key));
  const all = everyExpr(nest).filter((e) => e.kind === 'reduce');
  const whole = all.filter((s) => within(s.free, every));
  const repeated = whole.filter((s) => s.free.size < every.size);
  const rowKeys = new Set(repeated.length > 0 ? repeated.flatMap((s) => [...s.free.keys()]) : every);
  const sums = whole.filter((s) => within(s.free, rowKeys));
  const inside = new Set(everyUnder(sums.map((s) => s.body)));
  const nested = sums.some((s) => inside.has(s));
  if (repeated.length > 0 ? rowKeys.size === every.size : !nested && !(alone && areApart(sums, rowKeys))) return undefined;
  if (sums.some((s) => s.free.size < rowKeys.size) || nest.stores.some((s) => s.guard)) return undefined;
  if (all.some((s) => !sums.includes(s) && typicalOf(s.axes) > SHORT_SUM)) return undefined;
  const columns = nest.axes.filter((a) => !rowKeys.has(a.key));
  const longest = Math.max(typicalOf(columns), ...sums.map((s) => typicalOf(s.axes)));
  const along = liesAlong(nest, sums, rowKeys, columns);
  const isSmall = everyExpr(nest).length <= MOST_ACROSS;
  if (longest > (along ? LONGEST_ROW : isSmall ? LONGEST_ACROSS : SHORT_ACROSS)) return undefined;
  const rows = flattened(nest, new Set(sums), columns);
  return rows.families.length > MOST_FAMILIES ? undefined : { ...rows, along };
}

/** The shortest way in memory from a place to the next along one of the axes; infinite where there is none. */
const step = (index: Index, keys: ReadonlySet<string>): number =>
  Math.min(...index.terms.filter((t) => keys.has(t.atom.key)).map((t) => Math.abs(t.coefficient)));

/** Whether they are long, and what a row reads lies apart from what others read: no neighbour, and no product's block, shares it. */
function areApart(sums: readonly Sum[], rows: ReadonlySet<string>): boolean {
  const longest = Math.max(...sums.map((s) => extentOf(s.axes)));
  const summed = new Set(sums.flatMap((s) => s.axes.map((a) => a.key)));
  const apart = (e: Expr) => {
    if (e.kind !== 'load' || ![...e.free.keys()].some((key) => summed.has(key))) return true;
    const own = [...rows].filter((key) => e.free.has(key)).length;
    return own === 0 || (own === rows.size && step(e.index, rows) >= longest);
  };
  return sums.some((s) => typicalOf(s.axes) > SHORT_SUM) && everyUnder(sums.map((s) => s.body)).every(apart);
}

/** Whether each access by row and column has its columns nearer together than its rows. */
function liesAlong(nest: Nest, sums: readonly Sum[], rows: ReadonlySet<string>, columns: readonly Axis[]): boolean {
  const across = new Set([...columns, ...sums.flatMap((s) => s.axes)].map((a) => a.key));
  const loads = everyUnder(sums.map((s) => s.body)).flatMap((e) => (e.kind === 'load' ? [e.index] : []));
  // A sum that is much longer than what is stored for it pays for stores far apart.
  const short = typicalOf(columns) * FEW_STORES <= Math.max(...sums.map((s) => typicalOf(s.axes)));
  const indices = short && loads.length > 0 ? loads : [...loads, ...nest.stores.map((s) => s.index)];
  return indices.every((i) => !Number.isFinite(step(i, across)) || step(i, across) <= step(i, rows));
}

/** Every row sum, and the stores, over flat axes of their lengths: equal sums become one, and all share places. */
function flattened(nest: Nest, sums: ReadonlySet<Sum>, columns: readonly Axis[]): Omit<Rows, 'along'> {
  const b = nest.builder;
  const done = new Map<Expr, Expr>();
  const levels = new Map<Sum, number>();
  const visit = (expr: Expr): Expr => {
    const known = done.get(expr);
    if (known) return known;
    const result = b.as(expr, () => {
      const parts = children(expr).map(visit);
      if (expr.kind !== 'reduce' || !sums.has(expr)) return withChildren(b, expr, parts);
      const over = flat(expr.axes);
      const bodies = parts.map(replaceAxes(b, unflattening(expr.axes, over)));
      const [body = expr.body] = bodies;
      const sum = b.reduce(expr.combiner, [over], body);
      if (sum.kind === 'reduce') levels.set(sum, 1 + Math.max(0, ...everyUnder([body]).map((e) => levels.get(e as Sum) ?? 0)));
      return sum;
    });
    done.set(expr, result);
    return result;
  };
  const over = flat(columns);
  const to = unflattening(columns, over);
  const place = replaceAxes(b, to);
  const stores = nest.stores.map((s): Store => ({ ...s, index: substitute(s.index, to), value: place(visit(s.value)) }));
  const families = new Map<string, Sum[]>();
  for (const [sum, level] of [...levels].sort((x, y) => x[1] - y[1])) {
    const key = `${level}:${flat(sum.axes).key}`;
    families.set(key, [...(families.get(key) ?? []), sum]);
  }
  const axes = nest.axes.filter((a) => !columns.includes(a));
  return { nest: { ...nest, axes, stores }, count: extentOf(axes), columns: over, families: [...families.values()] };
}

/** One name for the places of a row, whatever sum or store goes over them: so what they compute alike is shared. */
const flat = (axes: readonly Axis[]): Axis => axis('q', extentOf(axes), vary(axes) ? typicalOf(axes) : undefined);

function unflattening(axes: readonly Axis[], over: Axis): (a: Axis) => Index | undefined {
  const index = unflatten(
    fromAxis(over),
    axes.map((a) => a.extent),
  );
  return (a) => index[axes.findIndex((x) => x.key === a.key)];
}

export function planRows(rows: Rows, device: DeviceKind, mayQuads: boolean): RowPlan {
  const { families, columns, nest } = rows;
  const longest = Math.max(typicalOf([columns]), ...families.flat().map((s) => typicalOf(s.axes)));
  const enough = 2 ** Math.ceil(Math.log2(longest / PLACES));
  const shared = (rows.along || longest > SHORT_ACROSS) && typicalOf(nest.axes) < ROWS_ALONE[device];
  const most = shared ? Math.min(LANES[device] / (rows.along ? 1 : FEWEST_ACROSS), Math.max(1, enough)) : 1;
  const threads = rows.along || most === 1 ? THREADS : LANES[device];
  const over = [columns, ...families.flat().flatMap((s) => s.axes)];
  const whole = [most, most / 2].find((lanes) => lanes > 1 && over.every((a) => a.extent % (lanes * QUAD) === 0));
  const plan = (lanes: number, quads?: ReadonlySet<number>): RowPlan => {
    const places = Math.ceil(longest / lanes);
    // Places that vary in number cannot be written out.
    const written = !vary(over) && places <= WRITTEN_PLACES[device] && places * everyExpr(nest).length <= WRITTEN_TEXT;
    return { ...rows, lanes, together: Math.max(1, threads / lanes), written, quads };
  };
  const inQuads = !mayQuads || whole === undefined ? undefined : plan(whole, quadsAlong(nest, over));
  return inQuads?.written && inQuads.quads ? inQuads : plan(most);
}
