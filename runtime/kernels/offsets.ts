/**
 * @file Where bindings begin. In: a nest, and which of its buffers is bound alone. Out: the nest with what all their indices
 * are at least taken out of them, and that as bytes: kernels that differ only in which slice they read are one pipeline.
 */
import { plus } from '../tensor/affine.ts';
import { dtypes } from '../tensor/dtype.ts';
import { everyExpr } from './axes.ts';
import { children, withChildren, type Expr } from './expr.ts';
import type { Nest } from './nest.ts';

/** What the beginning of a binding must be a multiple of, in bytes, on every device. */
const ALIGNMENT = 256;

export interface Based {
  readonly nest: Nest;
  /** Bytes before the first element that is bound, for each of `alone`. */
  readonly offsets: ReadonlyMap<number, number>;
}

export function based(nest: Nest, alone: ReadonlySet<number>): Based {
  const first = new Map<number, number>();
  const bytes = new Map<number, number>();
  for (const e of everyExpr(nest)) {
    if (e.kind !== 'load' || !alone.has(e.buffer)) continue;
    first.set(e.buffer, Math.min(first.get(e.buffer) ?? Infinity, e.index.min));
    bytes.set(e.buffer, dtypes[e.type].bytes);
  }
  const elements = new Map<number, number>();
  for (const [buffer, start] of first) {
    const each = ALIGNMENT / (bytes.get(buffer) ?? ALIGNMENT);
    const whole = Math.floor(start / each) * each;
    if (whole > 0) elements.set(buffer, whole);
  }
  const offsets = new Map([...elements].map(([buffer, n]) => [buffer, n * (bytes.get(buffer) ?? 0)]));
  return { nest: elements.size > 0 ? moved(nest, elements) : nest, offsets };
}

function moved(nest: Nest, elements: ReadonlyMap<number, number>): Nest {
  const b = nest.builder;
  const done = new Map<Expr, Expr>();
  const visit = (expr: Expr): Expr => {
    const known = done.get(expr);
    if (known) return known;
    const by = expr.kind === 'load' ? (elements.get(expr.buffer) ?? 0) : 0;
    const result = b.as(expr, () =>
      expr.kind === 'load'
        ? b.load(expr.buffer, plus(expr.index, -by), expr.type)
        : withChildren(b, expr, children(expr).map(visit)),
    );
    done.set(expr, result);
    return result;
  };
  return { ...nest, stores: nest.stores.map((s) => ({ ...s, value: visit(s.value) })) };
}
