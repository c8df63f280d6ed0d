/**
 * @file Sums over keys that are weighted by exponentials of scores, each less the largest of its row, where a score is made of a
 * sum of products: attention, however it is written. In: a nest. Out: what a single walk over the keys needs that holds the
 * largest score so far and scales its sums whenever that grows, so that scores are never stored; undefined for other nests.
 *
 * The formula is that of Milakov and Gimelshein, Online normalizer calculation for softmax (2018), arXiv:1805.02867, used for
 * sums of values as by Dao, Fu, Ermon, Rudra and Ré, FlashAttention (2022), arXiv:2205.14135: with m' the larger of m and the
 * new scores, Σ e^(s − m') w is e^(m − m') · Σ e^(s − m) w over the keys before, plus the new terms. A factor of all terms, such
 * as one over their total, is taken out of the sum.
 */
import { axis, fromAxis, type Axis } from '../tensor/affine.ts';
import { choice, difference, exponential, largest, product, quotient } from './arithmetic.ts';
import { everyExpr, everyUnder, replaceAxes } from './axes.ts';
import { canonical } from './canonical.ts';
import { children, combinerOf, withChildren, type Builder, type Expr, type Sum } from './expr.ts';
import { vary } from './extents.ts';
import type { Nest } from './nest.ts';

export interface Online {
  /** With what all terms have in common taken out of the sums, and one name for the keys of each. */
  readonly nest: Nest;
  readonly keys: Axis;
  /** Axes that scores depend on and values do not, those that only values depend on, and all others. */
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
  readonly batch: readonly Axis[];
  /** The sum of products in a score, and its factors. */
  readonly dot: Sum;
  readonly query: Expr;
  readonly key: Expr;
  /** At a key, as are the next ones. */
  readonly score: Expr;
  readonly weight: Expr;
  readonly value: Expr;
  /** The largest score, sums over a row, and the sum of weighted values, as they stand in the nest. */
  readonly largest: Sum;
  readonly totals: readonly Total[];
  readonly mixed: Sum;
  /** Whether any value counts, whatever its weight; absent where all do. */
  readonly counts?: Total;
}

export interface Total {
  readonly sum: Sum;
  /** Its term at a key. */
  readonly term: Expr;
}

export function onlineOf(lowered: Nest): Online | undefined {
  if (!everyExpr(lowered).some((e) => isLargest(e))) return undefined;
  const nest = canonical(lowered);
  const sums = everyExpr(nest).filter((e) => e.kind === 'reduce');
  const [first, ...others] = sums.filter(isLargest);
  const [along] = first?.axes ?? [];
  if (!first || others.length > 0 || first.axes.length !== 1 || !along || first.type !== 'float32') return undefined;
  if (nest.stores.some((s) => s.guard) || vary([...nest.axes, ...sums.flatMap((s) => s.axes)])) return undefined;
  return new Search(nest, first, along).find(sums);
}

const isLargest = (e: Expr): e is Sum => e.kind === 'reduce' && e.combiner.name === largest.name;
const holds = (e: Expr, inner: Expr): boolean => everyUnder([e]).includes(inner);
const holdsSum = (e: Expr): boolean => everyUnder([e]).some((x) => x.kind === 'reduce');

/** A term without what it has in common with all others. */
interface Term {
  readonly term: Expr;
  /** Puts that around the sum again. */
  readonly around: (sum: Expr) => Expr;
  /** 1 where the value counts, else 0. */
  readonly counts?: Expr;
}

class Search {
  private readonly b: Builder;
  private readonly keys: Axis;
  private readonly score: Expr;
  /** e^(score − largest), at a key. */
  private readonly power: Expr;

  constructor(
    private readonly nest: Nest,
    private readonly largest: Sum,
    along: Axis,
  ) {
    this.b = nest.builder;
    this.keys = axis('key', along.extent);
    this.score = this.atKey(largest.body, along);
    const less = this.b.call(difference, [this.score, largest], 'float32');
    this.power = this.b.call(exponential, [less], 'float32');
  }

  find(sums: readonly Sum[]): Online | undefined {
    const { b, nest, keys, score, largest } = this;
    const dots = everyUnder([score]).filter((e) => e.kind === 'reduce');
    const [dot] = dots;
    const factors = dot && dots.length === 1 ? this.factorsOf(dot) : undefined;
    const weighted = sums.filter((s) => this.isWeighted(s));
    const mixes = weighted.filter((s) => nest.axes.some((a) => s.free.has(a.key) && !largest.free.has(a.key)));
    const [mix] = mixes;
    if (!dot || !factors || !mix || mixes.length > 1) return undefined;
    const rest = weighted.filter((s) => s !== mix);
    const totals = rest.flatMap((sum) => this.totalOf(sum) ?? []);
    const pair = this.pairOf(mix);
    if (!pair || totals.length < rest.length) return undefined;
    const { term, value } = pair;
    if (![term, ...totals].every((t) => this.isKnown(t.term)) || holdsSum(value)) return undefined;
    const mixed = b.as(mix, () => b.reduce(mix.combiner, [keys], b.call(product, [term.term, value], 'float32')));
    if (mixed.kind !== 'reduce') return undefined;
    const counts = this.countOf(term);
    // What is around the sum may be no number; where nothing counts, that does not either.
    const whole = term.around(mixed);
    const result = counts ? b.call(choice, [b.cast(counts.sum, 'bool'), whole, mixed], 'float32') : whole;
    const replaced = replacing(b, mix, result);
    const stores = nest.stores.map((s) => ({ ...s, value: replaced(s.value) }));
    const own = [mixed, largest, ...totals.map((t) => t.sum), ...(counts ? [counts.sum] : [])];
    if (
      !onlyMadeOf(
        stores.map((s) => s.value),
        own,
      )
    )
      return undefined;
    const of = (e: Expr) => (a: Axis) => e.free.has(a.key);
    const columns = nest.axes.filter((a) => of(value)(a) && !largest.free.has(a.key));
    const rows = nest.axes.filter((a) => largest.free.has(a.key) && !of(value)(a) && !of(factors.key)(a));
    const isRowOnly = [term.term, ...totals.map((t) => t.sum)].every((e) => !columns.some(of(e)));
    if (columns.length === 0 || !isRowOnly) return undefined;
    const batch = nest.axes.filter((a) => !rows.includes(a) && !columns.includes(a));
    const found = { keys, rows, columns, batch, dot, ...factors, score, weight: term.term, value, largest, mixed, counts };
    return { ...found, nest: { ...nest, stores }, totals };
  }

  private atKey(body: Expr, along: Axis): Expr {
    return replaceAxes(this.b, (a) => (a.key === along.key ? fromAxis(this.keys) : undefined))(body);
  }

  private isWeighted(sum: Sum): boolean {
    const { axes, combiner, type } = sum;
    const isOverKeys = axes.length === 1 && axes[0]?.extent === this.keys.extent;
    return isOverKeys && combiner.name === 'sum' && type === 'float32' && holds(this.bodyOf(sum), this.power);
  }

  private bodyOf(sum: Sum): Expr {
    return sum.axes.reduce((body, a) => this.atKey(body, a), sum.body);
  }

  private totalOf(sum: Sum): Total | undefined {
    const found = this.termOf(this.bodyOf(sum));
    // Around this sum nothing can be put: where it stands it is what it is.
    return found && found.around(sum) === sum && !found.counts ? { sum, term: found.term } : undefined;
  }

  private countOf({ counts }: Term): Total | undefined {
    const sum = counts && this.b.reduce(combinerOf(largest, 'float32'), [this.keys], counts);
    return sum?.kind === 'reduce' ? { sum, term: counts ?? sum } : undefined;
  }

  /** Whether nothing in a term must wait for the end of the walk, but for the power, which is scaled when the largest grows. */
  private isKnown(term: Expr): boolean {
    const one = this.b.literal(1, 'float32');
    return !holdsSum(replacing(this.b, this.score, one)(replacing(this.b, this.power, one)(term)));
  }

  private factorsOf({ body, combiner, type }: Sum): { query: Expr; key: Expr } | undefined {
    if (combiner.name !== 'sum' || type !== 'float32' || body.kind !== 'call' || body.op !== product) return undefined;
    const [key, other] = body.args.filter((x) => x.free.has(this.keys.key));
    const query = body.args.find((x) => !x.free.has(this.keys.key));
    return key && query && !other && !holdsSum(key) && !holdsSum(query) ? { query, key } : undefined;
  }

  /** The weight and the value of a sum's terms. */
  private pairOf(mix: Sum): { term: Term; value: Expr } | undefined {
    const body = this.bodyOf(mix);
    if (body.kind !== 'call' || body.op !== product) return undefined;
    const [a, c] = body.args;
    if (!a || !c || holds(a, this.power) === holds(c, this.power)) return undefined;
    const [weight, value] = holds(a, this.power) ? [a, c] : [c, a];
    const term = this.termOf(weight);
    return term && { term, value };
  }

  /** A weight that grows as the power does; undefined for others. */
  private termOf(expr: Expr): Term | undefined {
    if (expr === this.power) return { term: expr, around: (sum) => sum };
    if (expr.kind === 'select') return this.chosen(expr.yes, expr.no, (yes, no) => this.b.select(expr.when, yes, no));
    if (expr.kind !== 'call') return undefined;
    const [a, c, d] = expr.args;
    if (!a || !c) return undefined;
    if (expr.op === choice && d) return this.chosen(c, d, (yes, no) => this.b.call(choice, [a, yes, no], 'float32'));
    if (expr.op === product && !holds(a, this.power)) return this.times(c, (x) => this.b.call(product, [a, x], 'float32'), a);
    if (expr.op !== product && expr.op !== quotient) return undefined;
    return holds(c, this.power) ? undefined : this.times(a, (x) => this.b.call(expr.op, [x, c], 'float32'), c);
  }

  /** With a factor. A total of the row is known at the end alone, and goes around the sum. */
  private times(of: Expr, by: (x: Expr) => Expr, factor: Expr): Term | undefined {
    const term = this.termOf(of);
    if (!term) return undefined;
    if (factor.free.has(this.keys.key) || !holdsSum(factor)) return { ...term, term: by(term.term) };
    return { ...term, around: (sum) => by(term.around(sum)) };
  }

  /** Nothing where a condition does not hold. */
  private chosen(yes: Expr, no: Expr, make: (yes: Expr, no: Expr) => Expr): Term | undefined {
    const isZero = (e: Expr) => e.kind === 'literal' && Object.is(e.value, 0);
    if (isZero(yes) === isZero(no)) return undefined;
    const term = this.termOf(isZero(no) ? yes : no);
    if (!term) return undefined;
    const zero = this.b.literal(0, 'float32');
    const inside = (x: Expr) => (isZero(no) ? make(x, zero) : make(zero, x));
    return { ...term, term: inside(term.term), counts: inside(term.counts ?? this.b.literal(1, 'float32')) };
  }
}

/** Whether no other sums stand in the values than these. */
function onlyMadeOf(values: readonly Expr[], own: readonly Expr[]): boolean {
  const seen = new Set<Expr>(values);
  for (const e of seen) if (!own.includes(e)) for (const child of children(e)) seen.add(child);
  return [...seen].every((e) => e.kind !== 'reduce' || own.includes(e));
}

function replacing(b: Builder, of: Expr, by: Expr): (expr: Expr) => Expr {
  const done = new Map<Expr, Expr>([[of, by]]);
  const visit = (expr: Expr): Expr => {
    const known = done.get(expr) ?? b.as(expr, () => withChildren(b, expr, children(expr).map(visit)));
    done.set(expr, known);
    return known;
  };
  return visit;
}
