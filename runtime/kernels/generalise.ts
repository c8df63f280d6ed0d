/**
 * @file Anti-unification: the one expression over a new axis that gives each of a list of expressions in turn. In:
 * expressions that differ only in index constants. Out: the general one, or undefined when the constants do not grow by
 * equal steps or anything else differs.
 */
import {
  constant,
  divide,
  fromAxis,
  modulo,
  plus,
  times,
  type Axis,
  type Condition,
  type Index,
  type Term,
} from '../tensor/affine.ts';
import type { Builder, Expr } from './expr.ts';

export function generalise(b: Builder, exprs: readonly Expr[], over: Axis): Expr | undefined {
  const [first] = exprs;
  if (!first) return undefined;
  if (exprs.every((e) => e === first)) return first;
  return b.as(first, () => general(b, first, exprs, over));
}

function general(b: Builder, first: Expr, exprs: readonly Expr[], over: Axis): Expr | undefined {
  const inner = (pick: (e: Expr) => Expr | undefined) => {
    const parts = exprs.map(pick).filter((e) => e !== undefined);
    return parts.length === exprs.length ? generalise(b, parts, over) : undefined;
  };
  const index = (pick: (e: Expr) => Index | undefined) => {
    const parts = exprs.map(pick).filter((i) => i !== undefined);
    return parts.length === exprs.length ? generaliseIndex(parts, over) : undefined;
  };
  switch (first.kind) {
    case 'literal':
      return undefined;
    case 'load': {
      const at = index((e) => (e.kind === 'load' && e.buffer === first.buffer ? e.index : undefined));
      return at && b.load(first.buffer, at, first.type);
    }
    case 'position': {
      const at = index((e) => (e.kind === 'position' && e.start === first.start && e.step === first.step ? e.index : undefined));
      return at && b.position(at, first.start, first.step, first.type);
    }
    case 'call': {
      const args = first.args.map((_, i) =>
        inner((e) => (e.kind === 'call' && e.op.name === first.op.name && e.type === first.type ? e.args[i] : undefined)),
      );
      const known = args.filter((a) => a !== undefined);
      return known.length === args.length ? b.call(first.op, known, first.type) : undefined;
    }
    case 'cast': {
      const value = inner((e) => (e.kind === 'cast' && e.type === first.type ? e.value : undefined));
      return value && b.cast(value, first.type);
    }
    case 'select': {
      const yes = inner((e) => (e.kind === 'select' ? e.yes : undefined));
      const no = yes && inner((e) => (e.kind === 'select' ? e.no : undefined));
      const conditions = exprs.map((e) => (e.kind === 'select' ? e.when : undefined)).filter((c) => c !== undefined);
      const when = no && generaliseCondition(conditions, over);
      return when && b.select(when, yes, no);
    }
    case 'bind': {
      const value = inner((e) => (e.kind === 'bind' && e.as.key === first.as.key ? e.value : undefined));
      const body = value && inner((e) => (e.kind === 'bind' ? e.body : undefined));
      return body && b.bind(first.as, value, body);
    }
    case 'segment':
      return undefined;
    case 'reduce': {
      const axes = (e: Expr) =>
        e.kind === 'reduce' ? `${e.combiner.name}${e.axes.map((a) => `${a.key}:${a.extent}`).join()}` : '';
      const body = inner((e) => (e.kind === 'reduce' && axes(e) === axes(first) ? e.body : undefined));
      return body && b.reduce(first.combiner, first.axes, body);
    }
  }
}

export function generaliseIndex(indices: readonly Index[], over: Axis): Index | undefined {
  const [first, second] = indices;
  if (!first || !second) return first;
  const step = second.constant - first.constant;
  if (indices.some((index, i) => index.constant !== first.constant + i * step || index.terms.length !== first.terms.length))
    return undefined;
  let out = plus(constant(first.constant), times(fromAxis(over), step));
  for (const [t, term] of first.terms.entries()) {
    const twins = indices.map((index) => index.terms[t]).filter((x) => x !== undefined);
    const value = generaliseTerm(term, twins, over);
    if (!value) return undefined;
    out = plus(out, times(value, term.coefficient));
  }
  return out;
}

function generaliseTerm({ atom, coefficient }: Term, twins: readonly Term[], over: Axis): Index | undefined {
  if (twins.some((t) => t.coefficient !== coefficient || t.atom.kind !== atom.kind)) return undefined;
  if (atom.kind === 'axis') return twins.every((t) => t.atom.key === atom.key) ? fromAxis(atom) : undefined;
  const inside = twins
    .map((t) => (t.atom.kind !== 'axis' && t.atom.by === atom.by ? t.atom.of : undefined))
    .filter((i) => i !== undefined);
  const of = inside.length === twins.length ? generaliseIndex(inside, over) : undefined;
  return of && (atom.kind === 'div' ? divide(of, atom.by) : modulo(of, atom.by));
}

function generaliseCondition(conditions: readonly Condition[], over: Axis): Condition | undefined {
  const [first] = conditions;
  if (!first || conditions.some((c) => c.tests.length !== first.tests.length)) return undefined;
  const tests: Condition['tests'][number][] = [];
  for (const [t, { lo, hi }] of first.tests.entries()) {
    const twins = conditions.map((c) => c.tests[t]).filter((x) => x !== undefined);
    if (twins.some((x) => x.lo !== lo || x.hi !== hi)) return undefined;
    const index = generaliseIndex(
      twins.map((x) => x.index),
      over,
    );
    if (!index) return undefined;
    tests.push({ index, lo, hi });
  }
  return { key: tests.map((x) => `${x.lo}<=${x.index.key}<${x.hi}`).join('&'), tests };
}
