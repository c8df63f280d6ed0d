/**
 * @file Re-rolling: expressions that are the same but for numbers which grow by a constant step become one expression over
 * a new axis. It turns an unrolled sum of sums into one sum with another summed axis, and stores that tile a tensor into
 * one store with another independent axis; so many small products become one contraction, whatever they were written for.
 */
import { axis } from '../tensor/affine.ts';
import { addition } from './arithmetic.ts';
import { everyExpr } from './axes.ts';
import { children, sumCombiner, withChildren, type Builder, type Expr } from './expr.ts';
import { generalise, generaliseIndex } from './generalise.ts';
import type { Nest, Store } from './nest.ts';

/** Terms without a reduction inside are left as they are up to here: written out they are cheaper than a loop. */
const UNROLLED_TERMS = 16;

export function reroll(nest: Nest): Nest {
  const roll = new Roller(nest.builder, usesOf(nest));
  return roll.stores({ ...nest, stores: nest.stores.map((s) => ({ ...s, value: roll.sums(s.value) })) });
}

class Roller {
  private readonly done = new Map<Expr, Expr>();
  private readonly forms = new Map<Expr, number>();
  private readonly known = new Map<string, number>();

  constructor(
    private readonly b: Builder,
    private readonly uses: ReadonlyMap<Expr, number>,
  ) {}

  /** The expression with every chain of additions re-rolled where its terms allow. */
  sums(expr: Expr): Expr {
    const known = this.done.get(expr);
    if (known) return known;
    const terms = this.addends(expr).map((t) => (t === expr ? t : this.sums(t)));
    const inner = terms.length > 1 ? terms : children(expr).map((c) => this.sums(c));
    const result = this.b.as(expr, () => (terms.length > 1 ? this.sum(terms, expr.type) : withChildren(this.b, expr, inner)));
    this.done.set(expr, result);
    return result;
  }

  /** The terms of a chain of additions, in order; a sum that is needed more than once is one of them, and computed once. */
  private addends(expr: Expr): readonly Expr[] {
    const terms: Expr[] = [];
    const stack = [expr];
    for (let next = stack.pop(); next; next = stack.pop()) {
      const own = next === expr || this.uses.get(next) === 1;
      const [a, c] = own && next.kind === 'call' && next.op.name === addition.name && next.type === expr.type ? next.args : [];
      if (a && c) stack.push(c, a);
      else terms.push(next);
    }
    return terms;
  }

  private sum(terms: readonly Expr[], type: Expr['type']): Expr {
    const families = new Map<number, Expr[]>();
    for (const term of terms) families.set(this.form(term), [...(families.get(this.form(term)) ?? []), term]);
    const parts = [...families.values()].flatMap((family) => this.family(family));
    const real = parts.filter((p) => p.kind !== 'literal' || p.value !== 0);
    const [first = this.b.literal(0, type), ...rest] = real;
    return rest.reduce((sum, term) => this.b.call(addition, [sum, term], type), first);
  }

  /** Like terms as one reduction over a new axis, or as they are. */
  private family(terms: readonly Expr[]): readonly Expr[] {
    const [first] = terms;
    const worth = first?.kind === 'reduce' ? terms.length > 1 : terms.length > UNROLLED_TERMS;
    if (!first || !worth || first.type === 'bool') return terms;
    const over = axis(newAxis(terms), terms.length);
    const body = generalise(this.b, terms, over);
    return body && body !== first ? [this.b.reduce(sumCombiner(), [over], body)] : terms;
  }

  /** What an expression looks like without the constants of its indices: a number for each look, or shared parts would be written out. */
  private form(expr: Expr): number {
    const known = this.forms.get(expr);
    if (known !== undefined) return known;
    const inside = children(expr)
      .map((c) => this.form(c))
      .join();
    const own =
      expr.kind === 'load'
        ? `${expr.buffer}[${expr.index.terms.map((t) => t.coefficient).join()}]`
        : expr.kind === 'call'
          ? expr.op.name
          : expr.kind === 'literal'
            ? String(expr.value)
            : expr.kind === 'reduce'
              ? expr.axes.map((a) => a.key).join()
              : '';
    const text = `${expr.kind}${own}(${inside})`;
    const form = this.known.get(text) ?? this.known.size;
    this.known.set(text, form);
    this.forms.set(expr, form);
    return form;
  }

  /** Stores that fill one buffer alike as one store over a new, outermost axis. */
  stores(nest: Nest): Nest {
    const { stores } = nest;
    const [first] = stores;
    if (!first || stores.length < 2 || stores.some((s) => s.buffer !== first.buffer)) return nest;
    const over = axis('s', stores.length);
    const value = generalise(
      this.b,
      stores.map((s) => s.value),
      over,
    );
    const index = generaliseIndex(
      stores.map((s) => s.index),
      over,
    );
    if (!value || !index) return nest;
    const store: Store = { buffer: first.buffer, index, value };
    return { ...nest, axes: [over, ...nest.axes], stores: [store] };
  }
}

/** How often each expression is needed. */
function usesOf(nest: Nest): Map<Expr, number> {
  const uses = new Map<Expr, number>();
  const count = (e: Expr) => uses.set(e, (uses.get(e) ?? 0) + 1);
  for (const expr of everyExpr(nest)) children(expr).forEach(count);
  for (const { value } of nest.stores) count(value);
  return uses;
}

/** A name for an axis that none of the terms uses: reductions may nest, so the name grows with their depth. */
function newAxis(terms: readonly Expr[]): string {
  let depth = 0;
  const seen = new Set<Expr>();
  const visit = (expr: Expr): void => {
    if (seen.has(expr)) return;
    seen.add(expr);
    if (expr.kind === 'reduce')
      for (const a of expr.axes) if (a.key.startsWith('u')) depth = Math.max(depth, Number.parseInt(a.key.slice(1), 10) + 1);
    for (const child of children(expr)) visit(child);
  };
  terms.forEach(visit);
  return `u${depth}`;
}
