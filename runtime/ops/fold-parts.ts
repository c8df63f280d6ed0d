/**
 * @file A long fold in parts, which a device computes at the same time. In: a reduction's spec. Out: a spec that folds parts of
 * what the given one folds, along new first dims; the given one folds those at last. Halves are folded as float32.
 */
import { condition, constant, plus, times, type Index } from '../tensor/affine.ts';
import { contiguous } from '../tensor/layout.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import type { Attributes, ContractSpec, ReduceSpec, Source } from './spec.ts';

export interface FoldParts {
  /** The dims that are folded in all: the first `whole` of them stay as they are, the next one is cut. */
  readonly dims: readonly number[];
  readonly whole: number;
  readonly parts: number;
  /** Places of the dim that is cut in one part; the last may have fewer. */
  readonly each: number;
}

/** Sums that keep a device busy, and terms that are worth one of them. */
export const BUSY = 4096;
export const SHORTEST = 1024;
/** Shorter folds are not worth another kernel. */
const LEAST_TERMS = 1 << 16;
/** So many workgroups are busy enough: one has a position whose terms are neighbours in memory, else some neighbours. */
const MOST_ROWS = 128;
const MOST_COLUMNS = 1024;

/** Whether it is long, and has so few positions that they leave a device idle. */
export function isLong(positions: number, terms: number, most = MOST_ROWS): boolean {
  return terms >= LEAST_TERMS && positions > 0 && positions <= most;
}

/** The parts for a fold of `dims`, in order; undefined where it stays whole. */
export function partsOfFold(shape: Shape, dims: readonly number[]): FoldParts | undefined {
  const terms = numel(dims.map((d) => shape[d] ?? 1));
  const positions = numel(shape) / terms;
  if (!isLong(positions, terms, dims.includes(shape.length - 1) ? MOST_ROWS : MOST_COLUMNS)) return undefined;
  const wanted = Math.floor(Math.min(BUSY / positions, terms / SHORTEST));
  let [whole, left] = [0, wanted];
  const extent = () => shape[dims[whole] ?? -1] ?? 1;
  for (; whole < dims.length - 1 && extent() <= left; whole++) left = Math.floor(left / extent());
  return { dims, whole, ...evenParts(extent(), left) };
}

/** About so many parts of `extent`: of one size, where a number near that divides it. */
export function evenParts(extent: number, wanted: number): { readonly parts: number; readonly each: number } {
  for (let parts = Math.min(Math.floor(1.25 * wanted), extent); parts > 0.75 * wanted; parts--) {
    if (extent % parts === 0) return { parts, each: extent / parts };
  }
  const each = Math.ceil(extent / wanted);
  return { parts: Math.ceil(extent / each), each };
}

/** The dims of what parts are folded to that are folded at last. */
export const lastDims = ({ whole }: FoldParts): number[] => Array.from({ length: whole + 1 }, (_, d) => d);

const foldOf = (attributes: Attributes): FoldParts => attributes as unknown as FoldParts;
const known = new WeakMap<ReduceSpec, ContractSpec>();

/** The attributes are `FoldParts`. */
export function foldInParts(op: ReduceSpec): ContractSpec {
  const spec = known.get(op) ?? made(op);
  known.set(op, spec);
  return spec;
}

function made(op: ReduceSpec): ContractSpec {
  return {
    ...op,
    name: `parts_of_${op.name}`,
    kind: 'contract',
    samples: [],
    onnx: undefined,
    fold: op,
    infer([x], attributes) {
      const { dims, whole, parts } = foldOf(attributes);
      const { shape, dtype } = op.infer([x ?? 0], { dims, keepdim: false });
      const own = typeof x === 'object' ? x.shape : [];
      const first = dims.slice(0, whole).map((d) => own[d] ?? 1);
      return { shape: [...first, parts, ...shape], dtype: dtype === 'float16' ? 'float32' : dtype };
    },
    extents([x = []], attributes) {
      const { dims, whole, each } = foldOf(attributes);
      return [each, ...dims.slice(whole + 1).map((d) => x[d] ?? 1)];
    },
    sources: (out, folded, [x = []], attributes) => [sourceOf(out, folded, x, foldOf(attributes))],
    reference([x], attributes, out) {
      const { dims, whole, parts, each } = foldOf(attributes);
      const [shape, data] = [x?.shape ?? [], x?.data ?? []];
      const values = Array.from({ length: numel(out.shape) }, (): number[] => []);
      const { strides } = contiguous(shape);
      const [first, rest] = [dims.slice(0, whole), shape.map((_, d) => d).filter((d) => !dims.includes(d))];
      const sizes = [...first.map((d) => shape[d] ?? 1), parts, ...rest.map((d) => shape[d] ?? 1)];
      const to = contiguous(sizes).strides;
      for (let flat = 0; flat < data.length; flat++) {
        const at = (d: number | undefined) => Math.floor(flat / (strides[d ?? 0] ?? 1)) % (shape[d ?? 0] ?? 1);
        const place = [...first.map(at), Math.floor(at(dims[whole]) / each), ...rest.map(at)];
        values[place.reduce((sum, p, i) => sum + p * (to[i] ?? 0), 0)]?.push(data[flat] ?? NaN);
      }
      return Float64Array.from(values, (v) => op.reference(v));
    },
  };
}

function sourceOf(out: readonly Index[], folded: readonly Index[], x: Shape, fold: FoldParts): Source {
  const { dims, whole, parts, each } = fold;
  const [inner = constant(0), ...rest] = folded;
  const [first, part = constant(0), others] = [out.slice(0, whole), out[whole], out.slice(whole + 1).values()];
  const place = plus(times(part, each), inner);
  const reduced = [...first, place, ...rest];
  const index = x.map((_, d) => {
    const i = dims.indexOf(d);
    return (i < 0 ? others.next().value : reduced[i]) ?? constant(0);
  });
  const size = x[dims[whole] ?? -1] ?? 1;
  if (parts * each === size) return { index };
  return { index, inside: condition([{ index: place, lo: 0, hi: size }]) };
}
