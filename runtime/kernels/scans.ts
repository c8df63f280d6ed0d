/**
 * @file Scans: nests in which each position along one dim needs a fold of all terms up to it. In: a nest and what the device is.
 * Out: its rows, and how many threads share one: they go over it once, block by block, so that each term is computed once. What
 * else is computed for a position, before or after the fold, stays in the kernel.
 */
import { plus, times, unflatten, type Axis, type Index } from '../tensor/affine.ts';
import { everyExpr, outermostSums } from './axes.ts';
import type { DeviceKind } from '../profile/model.ts';
import type { Expr, Sum } from './expr.ts';
import { extentOf, typicalOf } from './extents.ts';
import type { Nest } from './nest.ts';
import { SHORT_SUM } from './rows.ts';

/** A fold of terms up to a place. */
export interface Scan {
  readonly sum: Sum;
  readonly term: Expr;
  /** Its summed axes for the place of a term. */
  readonly at: (place: Index) => (a: Axis) => Index | undefined;
}

export interface Scans {
  /** All that are in a nest: they go along the same axes, the same way. */
  readonly scans: readonly Scan[];
  /** Axes of the rows. */
  readonly rows: readonly Axis[];
  /** Axes along a row, and how many places they have together. */
  readonly over: readonly Axis[];
  readonly length: number;
  /** The axes along the row for a place of it. */
  readonly at: (place: Index) => (a: Axis) => Index | undefined;
}

export interface ScanPlan extends Scans {
  /** Threads that share a row, a power of two; rows of a workgroup; neighbouring places of a thread in one block. */
  readonly lanes: number;
  readonly together: number;
  readonly places: number;
}

const LANES: Readonly<Record<DeviceKind, number>> = { gpu: 256, software: 64, reference: 1 };
/** With so many rows each thread has one of its own, where a CPU is, or where neighbouring rows are neighbours in memory. */
const ROWS_ALONE: Readonly<Record<DeviceKind, number>> = { gpu: 4096, software: 128, reference: 0 };
const THREADS = 64;
const PLACES = 4;
/** A longer text is not written out for each place of a thread. */
const WRITTEN_TEXT = 256;

/** Undefined where there is no scan, or anything else that is long. */
export function scansOf(nest: Nest): Scans | undefined {
  const long = everyExpr(nest).filter((e) => e.kind === 'reduce' && typicalOf(e.axes) > SHORT_SUM);
  const found = long.map((sum) => scanIn(sum as Sum, nest));
  const [first] = found;
  if (!first || nest.stores.some((s) => s.guard)) return undefined;
  const scans = found.flatMap((f) => (f?.end === first.end ? [f.scan] : []));
  const open = new Set(outermostSums(nest.stores.map((s) => s.value)));
  if (scans.length < long.length || !scans.every((s) => open.has(s.sum))) return undefined;
  const { columns: over, at } = first;
  return { scans, rows: nest.axes.filter((a) => !over.includes(a)), over, length: extentOf(over), at };
}

export function planScans(scans: Scans, nest: Nest, device: DeviceKind): ScanPlan {
  const { rows, over } = scans;
  const isAcross = nest.axes.at(-1) !== over.at(-1);
  const alone = typicalOf(rows) >= ROWS_ALONE[device] && (device === 'software' || isAcross);
  const places = alone || everyExpr(nest).length > WRITTEN_TEXT ? 1 : PLACES;
  const enough = 2 ** Math.ceil(Math.log2(typicalOf(over) / places));
  const lanes = alone ? 1 : Math.min(LANES[device], enough);
  return { ...scans, lanes, together: Math.max(1, THREADS / lanes), places };
}

interface Found {
  readonly scan: Scan;
  /** Equal for scans that go along the same axes the same way. */
  readonly end: string;
  readonly columns: readonly Axis[];
  readonly at: Scans['at'];
}

/** The sum as a scan: of terms whose place is not behind that of the position, the others being nothing. */
function scanIn(sum: Sum, nest: Nest): Found | undefined {
  const { body, axes, combiner } = sum;
  if (body.kind !== 'select' || body.no.kind !== 'literal' || !Object.is(body.no.value, combiner.identity)) return undefined;
  const [test, ...others] = body.when.tests;
  const length = extentOf(axes);
  if (!test || others.length > 0 || test.lo !== 0 || test.hi < length) return undefined;
  const { terms, constant } = test.index;
  const digits = (of: readonly Axis[], sign: number) => {
    const places = terms.flatMap(({ atom, coefficient }) =>
      atom.kind === 'axis' && of.some((a) => a.key === atom.key) ? [{ axis: atom, step: sign * coefficient }] : [],
    );
    return digitsOf(places);
  };
  const summed = digits(axes, -1);
  const forwards = constant === 0;
  const columns = digits(nest.axes, forwards ? 1 : -1);
  const isWhole = columns && summed?.length === axes.length && columns.length + summed.length === terms.length;
  if (!isWhole || extentOf(columns) !== length || constant !== (forwards ? 0 : length - 1)) return undefined;
  if (columns.some((a) => body.yes.free.has(a.key))) return undefined;
  const along = (place: Index) => (forwards ? place : plus(times(place, -1), length - 1));
  return {
    scan: { sum, term: body.yes, at: (place) => unflattening(summed, place) },
    end: `${constant} ${columns.map((a) => a.key).join()}`,
    columns: nest.axes.filter((a) => columns.some((c) => c.key === a.key)),
    at: (place) => unflattening(columns, along(place)),
  };
}

/** The axes, slowest first, if together they count the places from 0 on. */
function digitsOf(places: readonly { readonly axis: Axis; readonly step: number }[]): readonly Axis[] | undefined {
  let step = 1;
  const sorted = [...places].sort((a, b) => a.step - b.step);
  for (const place of sorted) {
    if (place.step !== step) return undefined;
    step *= place.axis.extent;
  }
  return sorted.map((p) => p.axis).reverse();
}

function unflattening(axes: readonly Axis[], place: Index): (a: Axis) => Index | undefined {
  const index = unflatten(
    place,
    axes.map((a) => a.extent),
  );
  return (a) => index[axes.findIndex((x) => x.key === a.key)];
}
