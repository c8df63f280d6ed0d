/**
 * @file Changes of axes. In: a loop nest. Out: the same nest over other axes: split, so that quotients and remainders
 * vanish from its indices, or written out, so that a thread computes several positions and shares their loads.
 */
import { axis, condition, fromAxis, plus, substitute, times, type Axis, type Condition, type Index } from '../tensor/affine.ts';
import { children, withChildren, type Builder, type Expr, type Sum } from './expr.ts';
import type { Nest } from './nest.ts';

type Replacement = (a: Axis) => Index | undefined;

/** The expression with its free axes replaced, and all summed axes cut by `cut`. */
export function replaceAxes(b: Builder, to: Replacement, cut?: (a: Axis) => readonly Axis[]): (expr: Expr) => Expr {
  const done = new Map<Expr, Expr>();
  const visit = (expr: Expr): Expr => {
    if (!cut && ![...expr.free.values()].some((a) => to(a))) return expr;
    const known = done.get(expr);
    if (known) return known;
    const result = b.as(expr, () => rebuilt(expr));
    done.set(expr, result);
    return result;
  };
  const rebuilt = (expr: Expr): Expr => {
    switch (expr.kind) {
      case 'load':
        return b.load(expr.buffer, substitute(expr.index, to), expr.type);
      case 'position':
        return b.position(substitute(expr.index, to), expr.start, expr.step, expr.type);
      case 'select':
        return b.select(substituteCondition(expr.when, to), visit(expr.yes), visit(expr.no));
      case 'reduce':
        return b.reduce(expr.combiner, cut ? expr.axes.flatMap(cut) : expr.axes, visit(expr.body));
      case 'bind': {
        const [as = expr.as] = cut?.(expr.as) ?? [];
        return b.bind(as, visit(expr.value), visit(expr.body));
      }
      case 'segment': {
        const [over = expr.over] = cut?.(expr.over) ?? [];
        return b.segment(over, visit(expr.first), visit(expr.last), visit(expr.body));
      }
      default:
        return withChildren(b, expr, children(expr).map(visit));
    }
  };
  return visit;
}

export function substituteCondition(when: Condition, to: Replacement) {
  return condition(when.tests.map((t) => ({ ...t, index: substitute(t.index, to) })));
}

/** The nest over other axes: `cut` gives those of each, `to` what each is. */
export function overAxes(nest: Nest, to: Replacement, cut: (a: Axis) => readonly Axis[]): Nest {
  const visit = replaceAxes(nest.builder, to, cut);
  return {
    ...nest,
    axes: nest.axes.flatMap(cut),
    stores: nest.stores.flatMap((s) => {
      const guard = s.guard && substituteCondition(s.guard, to);
      return guard === 'never' ? [] : [{ ...s, index: substitute(s.index, to), value: visit(s.value), guard }];
    }),
  };
}

/** Axes whose quotient and remainder by one number are used become two axes, until none is left. */
export function splitAxes(nest: Nest): Nest {
  let current = nest;
  for (let round = 0; round < 32; round++) {
    const found = divided(current);
    if (!found) return current;
    const { of, by } = found;
    const [outer, inner] = [axis(`${of.key}d`, of.extent / by), axis(`${of.key}m`, by)];
    const value = plus(times(fromAxis(outer), by), fromAxis(inner));
    const to: Replacement = (a) => (a.key === of.key ? value : undefined);
    const cut = (a: Axis) => (a.key === of.key ? [outer, inner].filter((x) => x.extent > 1) : [a]);
    current = overAxes(current, to, cut);
  }
  return current;
}

/** The smallest cut that some index asks for. */
function divided(nest: Nest): { of: Axis; by: number } | undefined {
  let found: { of: Axis; by: number } | undefined;
  const loops = new Set(nest.axes.map((a) => a.key));
  for (const expr of everyExpr(nest)) if (expr.kind === 'reduce') for (const a of expr.axes) loops.add(a.key);
  const look = (index: Index): void => {
    for (const { atom } of index.terms) {
      if (atom.kind === 'axis') continue;
      const [only] = atom.of.terms;
      // What is added to it divides with what is left of the inner one.
      if (
        atom.of.terms.length === 1 &&
        only?.coefficient === 1 &&
        only.atom.kind === 'axis' &&
        loops.has(only.atom.key) &&
        only.atom.extent > atom.by &&
        only.atom.extent % atom.by === 0 &&
        (!found || atom.by < found.by)
      ) {
        found = { of: only.atom, by: atom.by };
      }
      look(atom.of);
    }
  };
  for (const expr of everyExpr(nest)) for (const index of indicesOf(expr)) look(index);
  for (const store of nest.stores) look(store.index);
  return found;
}

export function indicesOf(expr: Expr): readonly Index[] {
  if (expr.kind === 'load' || expr.kind === 'position') return [expr.index];
  return expr.kind === 'select' ? expr.when.tests.map((t) => t.index) : [];
}

/** Every expression of the nest, once, children first. */
export function everyExpr(nest: Nest): Expr[] {
  return everyUnder(nest.stores.map((s) => s.value));
}

export function everyUnder(roots: readonly Expr[]): Expr[] {
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    for (const child of children(expr)) visit(child);
    seen.add(expr);
  };
  roots.forEach(visit);
  return [...seen];
}

/** Sums that stand in no other sum, nor under a condition. */
export function outermostSums(roots: readonly Expr[]): Sum[] {
  const found = new Set<Sum>();
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === 'reduce') found.add(expr);
    else if (expr.kind === 'call') expr.args.forEach(visit);
    else if (expr.kind === 'cast' || expr.kind === 'bind') visit(expr.value);
  };
  roots.forEach(visit);
  return [...found];
}

/**
 * One thread computes `count` positions of `of`, a stride apart, so that neighbouring threads stay neighbours in memory, or
 * `beside` each other; so too where the extent varies, as the stride would. Where `count` does not divide the extent, the last
 * stores are guarded, and those wholly behind its end are left out; where it varies all are guarded.
 */
export function writeOut(nest: Nest, of: Axis, count: number, beside = false): Nest {
  const stride = Math.ceil(of.extent / count);
  const varies = of.typical !== undefined;
  const inner = axis(`${of.key}t`, stride, of.typical === undefined ? undefined : Math.ceil(of.typical / count));
  const stores = Array.from({ length: count }, (_, i) => {
    const place = beside || varies ? plus(times(fromAxis(inner), count), i) : plus(fromAxis(inner), i * stride);
    const to: Replacement = (a) => (a.key === of.key ? place : undefined);
    const visit = replaceAxes(nest.builder, to);
    return nest.stores.flatMap((s) => {
      const before = (s.guard?.tests ?? []).map((t) => ({ ...t, index: substitute(t.index, to) }));
      const guard = condition([...before, { index: place, lo: 0, hi: of.extent, isAsked: varies && i > 0 }]);
      return guard === 'never' ? [] : [{ ...s, index: substitute(s.index, to), value: visit(s.value), guard }];
    });
  });
  const axes = nest.axes.flatMap((a) => (a.key !== of.key ? [a] : stride > 1 || varies ? [inner] : []));
  return { ...nest, axes, stores: stores.flat() };
}
