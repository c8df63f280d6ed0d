/**
 * @file One form for sums that differ only in the names of what they go over. In: a nest. Out: the same nest, in which summed axes
 * are named after how deep sums stand inside: what is equal but for names is one expression, wherever it stands.
 */
import { axis, fromAxis, type Axis } from '../tensor/affine.ts';
import { replaceAxes } from './axes.ts';
import { children, withChildren, type Expr } from './expr.ts';
import type { Nest } from './nest.ts';

export function canonical(nest: Nest): Nest {
  const b = nest.builder;
  const done = new Map<Expr, { expr: Expr; height: number }>();
  const visit = (expr: Expr): { expr: Expr; height: number } => {
    const known = done.get(expr);
    if (known) return known;
    const parts = children(expr).map(visit);
    const inside = Math.max(0, ...parts.map((p) => p.height));
    const result = b.as(expr, () => {
      const bodies = parts.map((p) => p.expr);
      if (expr.kind !== 'reduce') return { expr: withChildren(b, expr, bodies), height: inside };
      const height = inside + 1;
      const named = expr.axes.map((a, i) => axis(`h${height}${'abcdefgh'[i] ?? `i${i}`}`, a.extent, a.typical));
      const to = (a: Axis) => {
        const i = expr.axes.findIndex((x) => x.key === a.key);
        const other = named[i];
        return other && fromAxis(other);
      };
      const [body = expr.body] = bodies.map(replaceAxes(b, to));
      return { expr: b.reduce(expr.combiner, named, body), height };
    });
    done.set(expr, result);
    return result;
  };
  return { ...nest, stores: nest.stores.map((s) => ({ ...s, value: visit(s.value).expr })) };
}
