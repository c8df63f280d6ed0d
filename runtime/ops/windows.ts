/**
 * @file Windows of any number of last dims: how outputs and the inputs that they see belong together, said once. In: a
 * tensor, where windows start. Out: the windows' elements, sums over them, and both turned round for gradients. Pooling and
 * resizing are made of these.
 */
import { condition, constant, divide, plus, times, type Index } from '../tensor/affine.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { contractSpec, move, op, type Op } from './define.ts';
import type { Attributes, HostView } from './spec.ts';

/**
 * For each of the last dims. Window i starts at ⌊(up · i + shift) / by⌋ and has `cells` elements, `dilation` apart; cells
 * outside the tensor count for nothing. `bounded` ones also end before ⌈up · (i + 1) / by⌉.
 */
export type Windows = {
  readonly sizes: readonly number[];
  readonly counts: readonly number[];
  readonly cells: readonly number[];
  readonly up: readonly number[];
  readonly shift: readonly number[];
  readonly by: readonly number[];
  readonly dilation: readonly number[];
  readonly bounded: boolean;
};

const windowsOf = (attributes: Attributes): Windows => attributes as unknown as Windows;
const at = (list: readonly number[], d: number): number => list[d] ?? 1;
const FAR = 2 ** 30;

/** The places that the cells of windows see, and when there is such a place. */
function seen(windows: readonly Index[], cells: readonly Index[], w: Windows) {
  const places = windows.map((i, d) =>
    plus(divide(plus(times(i, at(w.up, d)), w.shift[d] ?? 0), at(w.by, d)), times(cells[d] ?? constant(0), at(w.dilation, d))),
  );
  const tests = places.flatMap((p, d) => [{ index: p, lo: 0, hi: at(w.sizes, d) }, ...bound(windows[d], p, d, w)]);
  return { places, inside: condition(tests) };
}

/** The windows by which places are seen: candidates are numbered for each cell. */
function seeing(places: readonly Index[], cells: readonly Index[], candidates: readonly Index[], w: Windows) {
  const starts = places.map((q, d) => plus(q, times(cells[d] ?? constant(0), -at(w.dilation, d))));
  const windows = starts.map((s, d) => {
    const first = divide(plus(times(s, at(w.by, d)), at(w.up, d) - 1 - (w.shift[d] ?? 0)), at(w.up, d));
    return plus(first, candidates[d] ?? constant(0));
  });
  const tests = windows.flatMap((i, d) => {
    const start = plus(plus(times(i, at(w.up, d)), w.shift[d] ?? 0), times(starts[d] ?? constant(0), -at(w.by, d)));
    return [
      { index: i, lo: 0, hi: at(w.counts, d) },
      { index: start, lo: 0, hi: at(w.by, d) },
      ...bound(i, places[d] ?? constant(0), d, w),
    ];
  });
  return { windows, inside: condition(tests) };
}

function bound(window: Index | undefined, place: Index, d: number, w: Windows) {
  if (!w.bounded || !window) return [];
  return [{ index: plus(times(plus(window, 1), at(w.up, d)), times(place, -at(w.by, d))), lo: 1, hi: FAR }];
}

/** How many windows of one dim can start at one place. */
const candidatesOf = (w: Windows) => w.by.map((by, d) => Math.ceil(by / at(w.up, d)));
const lead = (shape: Shape, dims: number): Shape => shape.slice(0, shape.length - dims);

interface Visit {
  /** Flat positions among the inputs, the windows and the cells of windows. */
  readonly place: number;
  readonly window: number;
  readonly cell: number;
  /** The window and the cell, dim by dim. */
  readonly windows: readonly number[];
  readonly cells: readonly number[];
}

/** Every cell of every window that sees an element, from the definition. */
function* visits(w: Windows): Generator<Visit> {
  const unravel = (n: number, shape: Shape) => {
    const index = shape.map(() => 0);
    for (let d = shape.length - 1, rest = n; d >= 0; rest = Math.floor(rest / at(shape, d--))) index[d] = rest % at(shape, d);
    return index;
  };
  for (let window = 0; window < numel(w.counts); window++) {
    const windows = unravel(window, w.counts);
    for (let cell = 0; cell < numel(w.cells); cell++) {
      const cells = unravel(cell, w.cells);
      const places = windows.map(
        (i, d) => Math.floor((at(w.up, d) * i + (w.shift[d] ?? 0)) / at(w.by, d)) + (cells[d] ?? 0) * at(w.dilation, d),
      );
      const ends = windows.map((i, d) => (w.bounded ? Math.ceil((at(w.up, d) * (i + 1)) / at(w.by, d)) : Infinity));
      if (places.some((p, d) => p < 0 || p >= at(w.sizes, d) || p >= (ends[d] ?? Infinity))) continue;
      yield { place: places.reduce((sum, p, d) => sum * at(w.sizes, d) + p, 0), window, cell, windows, cells };
    }
  }
}

/** For every element of the leading dims, what `from` says of each visit times the weights, added where `to` says. */
function added(
  [x, ...weights]: readonly HostView[],
  w: Windows,
  sizes: readonly [read: number, written: number],
  from: (v: Visit) => number,
  to: (v: Visit) => number,
): Float64Array {
  const [read, written] = sizes;
  const images = read === 0 ? 0 : (x?.data.length ?? 0) / read;
  const out = new Float64Array(images * written);
  for (const visit of visits(w)) {
    const weight = weights.reduce(
      (product, { data }, d) => product * (data[(visit.windows[d] ?? 0) * at(w.cells, d) + (visit.cells[d] ?? 0)] ?? NaN),
      1,
    );
    for (let n = 0; n < images; n++) {
      const place = n * written + to(visit);
      out[place] = (out[place] ?? 0) + weight * (x?.data[n * read + from(visit)] ?? NaN);
    }
  }
  return out;
}

const CONTRACT = { tolerance: { relative: 2e-5, absolute: 2e-5 }, domain: [-1, 1] as const };
const ofCell = (w: Windows, v: Visit) => v.window * numel(w.cells) + v.cell;

/** The elements of each window: the last dims become one dim for the windows of each, then one for the cells of each. */
export const windows: Op<[x: Tensor, w: Windows, fill: number]> = move({
  name: 'windows',
  attributes: (_x, w, fill) => ({ ...w, fill }),
  shape: (shape, a) => {
    const w = windowsOf(a);
    return [...lead(shape, w.counts.length), ...w.counts, ...w.cells];
  },
  map: (out, shape, a) => {
    const w = windowsOf(a);
    const dims = w.counts.length;
    const first = shape.length - dims;
    const { places, inside } = seen(out.slice(first, first + dims), out.slice(first + dims), w);
    return { index: [...out.slice(0, first), ...places], inside, otherwise: a['fill'] as number };
  },
  grad: (g, _out, _x, w) => [unwindowed(g, w)],
});

const unwindowedSpec = contractSpec<[Tensor, Windows]>({
  ...CONTRACT,
  name: 'windows put back',
  shape: ([x = []], a) => [...lead(x, 2 * windowsOf(a).counts.length), ...windowsOf(a).sizes],
  extents: (_x, a) => [...windowsOf(a).cells, ...candidatesOf(windowsOf(a))],
  sources: (out, summed, _x, a) => {
    const w = windowsOf(a);
    const dims = w.counts.length;
    const cells = summed.slice(0, dims);
    const by = seeing(out.slice(-dims), cells, summed.slice(dims), w);
    return [{ index: [...out.slice(0, -dims), ...by.windows, ...cells], inside: by.inside, otherwise: 0 }];
  },
  reference: (operands, a) => {
    const w = windowsOf(a);
    const read = numel(w.counts) * numel(w.cells);
    return added(operands, w, [read, numel(w.sizes)], (v) => ofCell(w, v), (v) => v.place); // prettier-ignore
  },
});

/** The opposite of `windows`: elements of windows added up where they come from. */
const unwindowed: Op<[x: Tensor, w: Windows]> = op(
  { ...CONTRACT, name: 'windows put back', spec: unwindowedSpec, samples: [], grad: (g, _out, _x, w) => [windows(g, w, 0)] },
  (x, w) => apply(unwindowedSpec, [x], w),
);

/** Each of `weights` is [windows, cells] of one dim; without them all are 1. */
type Weighted = Op<[x: Tensor, weights: readonly Tensor[], w: Windows]>;

const sumsSpec = contractSpec<[Tensor, readonly Tensor[], Windows]>({
  ...CONTRACT,
  name: 'sums of windows',
  shape: ([x = []], a) => [...lead(x, windowsOf(a).counts.length), ...windowsOf(a).counts],
  extents: (_x, a) => windowsOf(a).cells,
  sources: (out, cells, shapes, a) => {
    const w = windowsOf(a);
    const dims = w.counts.length;
    const { places, inside } = seen(out.slice(-dims), cells, w);
    const weights = shapes.slice(1).map((_, d) => ({ index: [...out.slice(d - dims).slice(0, 1), ...cells.slice(d, d + 1)] }));
    return [{ index: [...out.slice(0, -dims), ...places], inside, otherwise: 0 }, ...weights];
  },
  reference: (operands, a) => {
    const w = windowsOf(a);
    return added(operands, w, [numel(w.sizes), numel(w.counts)], (v) => v.place, (v) => v.window); // prettier-ignore
  },
});

/** The sum of each window's elements. */
export const sums: Weighted = op(
  {
    ...CONTRACT,
    name: 'sums of windows',
    spec: sumsSpec,
    samples: [],
    grad: (g, _out, _x, weights, w) => [spread(g, weights, w)],
  },
  (x, weights, w) => apply(sumsSpec, [x, ...weights], w),
);

const spreadSpec = contractSpec<[Tensor, readonly Tensor[], Windows]>({
  ...CONTRACT,
  name: 'sums of windows spread',
  shape: ([x = []], a) => [...lead(x, windowsOf(a).counts.length), ...windowsOf(a).sizes],
  extents: (_x, a) => [...windowsOf(a).cells, ...candidatesOf(windowsOf(a))],
  sources: (out, summed, shapes, a) => {
    const w = windowsOf(a);
    const dims = w.counts.length;
    const cells = summed.slice(0, dims);
    const { windows: by, inside } = seeing(out.slice(-dims), cells, summed.slice(dims), w);
    const weights = shapes
      .slice(1)
      .map((_, d) => ({ index: [...by.slice(d, d + 1), ...cells.slice(d, d + 1)], inside, otherwise: 0 }));
    return [{ index: [...out.slice(0, -dims), ...by], inside, otherwise: 0 }, ...weights];
  },
  reference: (operands, a) => {
    const w = windowsOf(a);
    return added(operands, w, [numel(w.counts), numel(w.sizes)], (v) => v.window, (v) => v.place); // prettier-ignore
  },
});

/** The opposite of `sums`: each window's number added to all that it sees. */
const spread: Weighted = op(
  {
    ...CONTRACT,
    name: 'sums of windows spread',
    spec: spreadSpec,
    samples: [],
    grad: (g, _out, _x, weights, w) => [sums(g, weights, w)],
  },
  (x, weights, w) => apply(spreadSpec, [x, ...weights], w),
);
