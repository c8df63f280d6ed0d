/**
 * @file The reference device: the op table's `reference` functions, in float64, one op at a time, on the CPU. Slow, and
 * the measure of what is right: it shares no code with kernels but the index maps of movements.
 */
import { invariant } from '../errors.ts';
import { referenceIn, type Attributes, type HostView, type OpSpec } from '../ops/spec.ts';
import { writtenLayout } from '../ops/write.ts';
import { axis, evaluate, fromAxis } from '../tensor/affine.ts';
import type { Backend, Operand } from '../tensor/backend.ts';
import { dtypes, isFloat, isWhole, type DType, type HostArray } from '../tensor/dtype.ts';
import { contiguous, expanded, type Layout } from '../tensor/layout.ts';
import { broadcastShapes, numel, type Shape } from '../tensor/shape.ts';
import { tracked } from '../tensor/scope.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';

interface HostStorage extends Storage {
  readonly data: Float64Array;
}

export class ReferenceBackend implements Backend {
  readonly info = { name: 'reference (float64, on the CPU)', kind: 'reference', features: [], toggles: [] } as const;

  allocate(dtype: DType, shape: Shape): HostStorage {
    const length = numel(shape);
    return tracked({ backend: this, dtype, length, version: 0, data: new Float64Array(length), release: () => undefined });
  }

  upload(dtype: DType, data: ArrayLike<number>): HostStorage {
    const made = this.allocate(dtype, [data.length]);
    made.data.set(Float64Array.from(data, (x) => rounded(x, dtype)));
    return made;
  }

  read(storage: Storage, layout: Layout): Promise<HostArray> {
    return Promise.resolve(gather((storage as HostStorage).data, layout));
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  execute(op: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
    const views = inputs.map((x): HostView =>
      typeof x === 'number' ? { shape: [], data: Float64Array.of(x) } : { shape: x.shape, data: gather(dataOf(x), x.layout) },
    );
    const result = compute(op, inputs, views, attributes, out.shape);
    const target = dataOf(out);
    let i = 0;
    walk(out.layout, (place) => (target[place] = rounded(result[i++] ?? NaN, out.dtype)));
  }
}

function dataOf(x: Tensor): Float64Array {
  return (x.storage as HostStorage).data;
}

function rounded(x: number, dtype: DType): number {
  if (dtype === 'float32' || dtype === 'float64') return x;
  return isWhole(dtype) && Math.abs(x) === Infinity ? nearest(x, dtype) : dtypes[dtype].round(x);
}

/** Beyond a whole type a float is the nearest number of it, and a whole number wraps around. */
function converted(x: number, operand: Operand | undefined, dtype: DType): number {
  const fromFloat = typeof operand === 'object' && isFloat(operand.dtype);
  return rounded(isWhole(dtype) && fromFloat ? nearest(x, dtype) : x, dtype);
}

function nearest(x: number, dtype: DType): number {
  const { least, most } = dtypes[dtype];
  return Math.min(Math.max(x, least), most);
}

/** Calls `visit` with the place of each element, in row-major order. */
function walk({ shape, strides, offset }: Layout, visit: (place: number) => void): void {
  const rank = shape.length;
  if (numel(shape) === 0) return;
  const at = new Array<number>(rank).fill(0);
  let place = offset;
  for (;;) {
    visit(place);
    let d = rank - 1;
    for (; d >= 0; d--) {
      const next = (at[d] ?? 0) + 1;
      place += strides[d] ?? 0;
      at[d] = next;
      if (next < (shape[d] ?? 1)) break;
      place -= next * (strides[d] ?? 0);
      at[d] = 0;
    }
    if (d < 0) return;
  }
}

function gather(data: Float64Array, layout: Layout): Float64Array {
  const out = new Float64Array(numel(layout.shape));
  let i = 0;
  walk(layout, (place) => (out[i++] = data[place] ?? NaN));
  return out;
}

function compute(
  op: OpSpec,
  inputs: readonly Operand[],
  views: readonly HostView[],
  attributes: Attributes,
  shape: Shape,
): Float64Array {
  const [first, second] = views;
  switch (op.kind) {
    case 'elementwise': {
      const full = broadcastShapes(
        views.map((v) => v.shape),
        op.name,
      );
      const type = op.computeType(inputs);
      const operands = views.map((v, i) => {
        const values = gather(v.data, expanded(contiguous(v.shape), full));
        return op.params[i] === op.condition ? values : values.map((x) => converted(x, inputs[i], type));
      });
      const computed = referenceIn(op, type);
      return Float64Array.from({ length: numel(full) }, (_, i) => computed(...operands.map((o) => o[i] ?? NaN)));
    }
    case 'reduce':
      return reduce(op.reference, invariant(first, 'an operand'), attributes['dims'] as readonly number[]);
    case 'scan':
      return scanned(op.reference, invariant(first, 'an operand'), attributes['dim'] as number);
    case 'move':
      return moved(op, invariant(first, 'an operand'), attributes, shape);
    case 'contract':
      return op.reference(views, attributes, op.infer(inputs, attributes));
    case 'pick':
      return picked(op, invariant(first, 'an operand'), invariant(second, 'places'), attributes['dim'] as number, shape);
    case 'segment':
      return segmentSums(views, attributes['dim'] as number, shape);
    case 'search':
      return searched(op.step(attributes).reference, invariant(first, 'a sorted row'), invariant(second, 'values'));
    case 'join':
      return joined(views, attributes['dim'] as number, shape);
    case 'create': {
      const { start, step } = op.value(attributes);
      return Float64Array.from({ length: numel(shape) }, (_, i) => start + step * i);
    }
    case 'random': {
      const numbers = views.map((v) => v.data[0] ?? NaN);
      return Float64Array.from({ length: numel(shape) }, (_, i) => op.element.reference(i, ...numbers));
    }
    case 'write': {
      const out = Float64Array.from(invariant(first, 'a base').data);
      const { data } = invariant(second, 'a value');
      let i = 0;
      walk(writtenLayout(attributes), (place) => (out[place] = data[i++] ?? NaN));
      return out;
    }
  }
}

function reduce(fold: (values: Iterable<number>) => number, { data, shape }: HostView, dims: readonly number[]): Float64Array {
  const layout = contiguous(shape);
  const part = (keep: boolean): Layout => ({
    shape: shape.filter((_, d) => dims.includes(d) !== keep),
    strides: layout.strides.filter((_, d) => dims.includes(d) !== keep),
    offset: 0,
  });
  const inner = part(false);
  const out: number[] = [];
  walk(part(true), (offset) => out.push(fold(gather(data, { ...inner, offset }))));
  return Float64Array.from(out);
}

function scanned(combine: (a: number, b: number) => number, { data, shape }: HostView, dim: number): Float64Array {
  const out = Float64Array.from(data);
  const step = numel(shape.slice(dim + 1));
  const size = shape[dim] ?? 1;
  for (let i = 0; i < out.length; i++) {
    if (Math.floor(i / step) % size > 0) out[i] = combine(out[i - step] ?? NaN, out[i] ?? NaN);
  }
  return out;
}

function moved(op: Extract<OpSpec, { kind: 'move' }>, x: HostView, attributes: Attributes, shape: Shape): Float64Array {
  const view = op.view?.(contiguous(x.shape), attributes);
  if (view) return gather(x.data, view);
  const axes = shape.map((size, d) => axis(`o${d}`, size));
  const source = invariant(op.map, `${op.name} has a map`)(axes.map(fromAxis), x.shape, attributes);
  const { strides } = contiguous(x.shape);
  const at = new Map<string, number>();
  return Float64Array.from({ length: numel(shape) }, (_, flat) => {
    let rest = flat;
    for (let d = axes.length - 1; d >= 0; d--) {
      const size = shape[d] ?? 1;
      at.set(axes[d]?.key ?? '', rest % size);
      rest = Math.floor(rest / size);
    }
    const look = (key: string) => at.get(key) ?? 0;
    const tests = source.inside === 'never' ? undefined : (source.inside?.tests ?? []);
    const inside = tests?.every((t) => evaluate(t.index, look) >= t.lo && evaluate(t.index, look) < t.hi) ?? false;
    if (!inside) return source.otherwise ?? 0;
    return x.data[source.index.reduce((place, index, d) => place + evaluate(index, look) * (strides[d] ?? 0), 0)] ?? NaN;
  });
}

function picked(op: Extract<OpSpec, { kind: 'pick' }>, x: HostView, places: HostView, dim: number, shape: Shape): Float64Array {
  const axes = shape.map((size, d) => axis(`o${d}`, size));
  const where = op.places(axes.map(fromAxis), dim);
  const [from, along] = [contiguous(x.shape).strides, contiguous(places.shape).strides];
  return Float64Array.from({ length: numel(shape) }, (_, flat) => {
    const at = new Map<string, number>();
    let rest = flat;
    for (let d = axes.length - 1; d >= 0; d--) {
      at.set(axes[d]?.key ?? '', rest % (shape[d] ?? 1));
      rest = Math.floor(rest / (shape[d] ?? 1));
    }
    const look = (key: string) => at.get(key) ?? 0;
    const place = places.data[where.reduce((sum, i, d) => sum + evaluate(i, look) * (along[d] ?? 0), 0)] ?? NaN;
    if (!(place >= 0 && place < (x.shape[dim] ?? 1))) return NaN;
    return x.data[axes.reduce((sum, a, d) => sum + (d === dim ? place : look(a.key)) * (from[d] ?? 0), 0)] ?? NaN;
  });
}

function segmentSums(views: readonly HostView[], dim: number, shape: Shape): Float64Array {
  const [source, places, starts] = [0, 1, 2].map((i) => invariant(views[i], 'a segment has three operands'));
  const { strides } = contiguous(shape);
  return Float64Array.from({ length: numel(shape) }, (_, flat) => {
    const index = shape.map((size, d) => Math.floor(flat / (strides[d] ?? 1)) % size);
    const at = (x: HostView | undefined, along: number): number => {
      const from = contiguous(x?.shape ?? []).strides;
      const place = index.reduce((sum, i, d) => sum + (d === dim ? along : x?.shape[d] === 1 ? 0 : i) * (from[d] ?? 0), 0);
      return x?.data[place] ?? NaN;
    };
    let sum = 0;
    const own = index[dim] ?? 0;
    for (let e = at(starts, own); e < at(starts, own + 1); e++) sum += at(source, at(places, e));
    return sum;
  });
}

/** How many elements of each value's row come before it. */
function searched(step: (...values: number[]) => number, rows: HostView, { data, shape }: HostView): Float64Array {
  const size = rows.shape.at(-1) ?? 1;
  const each = rows.shape.length === 1 ? Infinity : (shape.at(-1) ?? 1);
  return data.map((value, i) => {
    const start = Math.floor(i / each) * size;
    let [low, high] = [0, size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (step(0, 1, rows.data[start + middle] ?? NaN, value) === 1) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

function joined(views: readonly HostView[], dim: number, shape: Shape): Float64Array {
  const out = new Float64Array(numel(shape));
  const { strides } = contiguous(shape);
  let start = 0;
  for (const view of views) {
    let i = 0;
    walk({ shape: view.shape, strides, offset: start * (strides[dim] ?? 0) }, (place) => (out[place] = view.data[i++] ?? NaN));
    start += view.shape[dim] ?? 0;
  }
  return out;
}
