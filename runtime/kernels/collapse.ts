/**
 * @file Neighbouring axes become one where every index goes on from the end of the inner one to the next of the outer one, as
 * in memory without gaps: then no position has to be taken apart. In: a loop nest. Out: the same nest over fewer axes.
 */
import { axis, constant, fromAxis, type Axis, type Index } from '../tensor/affine.ts';
import { everyExpr, indicesOf, overAxes } from './axes.ts';
import type { Nest } from './nest.ts';

interface Pair {
  readonly outer: Axis;
  readonly inner: Axis;
}

export function collapseAxes(nest: Nest): Nest {
  let current = nest;
  for (;;) {
    const pair = collapsible(current);
    if (!pair) return current;
    current = collapsed(current, pair);
  }
}

function collapsible(nest: Nest): Pair | undefined {
  const exprs = everyExpr(nest);
  const loops = [nest.axes, ...exprs.flatMap((e) => (e.kind === 'reduce' ? [e.axes] : []))];
  const pairs = new Map(loops.flatMap(pairsOf).map((p) => [`${p.outer.key},${p.inner.key}`, p]));
  if (pairs.size === 0) return undefined;
  const guards = nest.stores.flatMap((s) => s.guard?.tests.map((t) => t.index) ?? []);
  const indices = new Set([...exprs.flatMap(indicesOf), ...nest.stores.map((s) => s.index), ...guards]);
  const bound = new Set(exprs.flatMap((e) => (e.kind === 'bind' ? [e.as.key] : e.kind === 'segment' ? [e.over.key] : [])));
  const together = ({ outer, inner }: Pair) =>
    loops.every((axes) => {
      const [i, j] = [outer, inner].map((a) => axes.findIndex((x) => x.key === a.key));
      return (i === -1 && j === -1) || (i !== -1 && j === (i ?? 0) + 1);
    });
  return [...pairs.values()].find(
    (p) => !bound.has(p.outer.key) && !bound.has(p.inner.key) && together(p) && [...indices].every((i) => goesOn(i, p)),
  );
}

const pairsOf = (axes: readonly Axis[]): Pair[] =>
  axes.slice(1).flatMap((inner, i) => {
    const outer = axes[i];
    return outer ? [{ outer, inner }] : [];
  });

/** Whether a step of the outer axis is as many steps of the inner one as that is long, and neither is divided. */
function goesOn(index: Index, { outer, inner }: Pair): boolean {
  const of = (a: Axis) => index.terms.find((t) => t.atom.key === a.key)?.coefficient ?? 0;
  const divides = (i: Index): boolean =>
    i.terms.some(({ atom }) => (atom.kind === 'axis' ? atom.key === outer.key || atom.key === inner.key : divides(atom.of)));
  const divided = index.terms.some(({ atom }) => atom.kind !== 'axis' && divides(atom.of));
  return !divided && of(outer) === of(inner) * inner.extent;
}

function collapsed(nest: Nest, { outer, inner }: Pair): Nest {
  const whole = axis(`${outer.key}x${inner.key}`, outer.extent * inner.extent);
  const to = (a: Axis) => (a.key === outer.key ? constant(0) : a.key === inner.key ? fromAxis(whole) : undefined);
  const cut = (a: Axis) => (a.key === outer.key ? [] : a.key === inner.key ? [whole] : [a]);
  return overAxes(nest, to, cut);
}
