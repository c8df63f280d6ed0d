/**
 * @file What a kernel computes for one position: expressions over loads, index by index. In: pieces, through a `Builder`.
 * Out: a graph of shared nodes: building the same thing twice gives the same object, so common work is computed once.
 */
import { collectAxes, fromAxis, type Axis, type Condition, type Index } from '../tensor/affine.ts';
import { dtypes, type DType } from '../tensor/dtype.ts';
import { referenceIn, type ElementwiseSpec, type ReduceSpec, type ScanSpec } from '../ops/spec.ts';

interface Common {
  readonly id: number;
  readonly type: DType;
  /** The axes it depends on that are not bound inside it. */
  readonly free: ReadonlyMap<string, Axis>;
  /** The graph node that it was first built for. */
  readonly origin: number;
}

export interface Combiner {
  readonly name: string;
  readonly combine: string;
  /** WGSL functions that `combine` calls. */
  readonly prelude?: readonly string[];
  readonly identity: number;
}

export type Expr =
  | (Common & { readonly kind: 'literal'; readonly value: number })
  /** start + step · index, as a value. */
  | (Common & { readonly kind: 'position'; readonly index: Index; readonly start: number; readonly step: number })
  | (Common & { readonly kind: 'load'; readonly buffer: number; readonly index: Index })
  | (Common & { readonly kind: 'call'; readonly op: ElementwiseSpec; readonly args: readonly Expr[] })
  | (Common & { readonly kind: 'cast'; readonly value: Expr })
  | (Common & { readonly kind: 'select'; readonly when: Condition; readonly yes: Expr; readonly no: Expr })
  /** The body with the axis `as` standing for a value: the value itself, or the axis' last place where it is not one before. */
  | (Common & { readonly kind: 'bind'; readonly as: Axis; readonly value: Expr; readonly body: Expr })
  | (Common & { readonly kind: 'reduce'; readonly combiner: Combiner; readonly axes: readonly Axis[]; readonly body: Expr })
  /** The sum of the body over the places of an axis from the value `first` to before `last`. */
  | (Common & { readonly kind: 'segment'; readonly over: Axis; readonly first: Expr; readonly last: Expr; readonly body: Expr });

/** A reduction. */
export type Sum = Extract<Expr, { kind: 'reduce' }>;
export type Load = Extract<Expr, { kind: 'load' }>;

/** Text that combines two values of a reduction. */
export function combined(sum: Sum, a: string, b: string): string {
  return sum.combiner.combine.replace(/_T_|\b[ab]\b/g, (word) => (word === '_T_' ? dtypes[sum.type].wgsl : word === 'a' ? a : b));
}

export function sumCombiner(): Combiner {
  return { name: 'sum', combine: 'a + b', identity: 0 };
}

export function combinerOf(spec: ReduceSpec | ScanSpec, dtype: DType): Combiner {
  return { name: spec.name, combine: spec.combine, prelude: spec.prelude, identity: spec.identity(dtype) };
}

/** Makes expressions; equal ones are made once. One builder serves one kernel. */
export class Builder {
  private readonly made = new Map<string, Expr>();
  /** The graph node that expressions are being built for. */
  origin = -1;

  /** What `make` builds is for the graph node that `like` is for. */
  as<T>(like: Expr, make: () => T): T {
    const outer = this.origin;
    this.origin = like.origin;
    const made = make();
    this.origin = outer;
    return made;
  }

  private share(key: string, make: (common: Common) => Expr, type: DType, free: Map<string, Axis>): Expr {
    const twin = this.made.get(key);
    if (twin) return twin;
    const expr = make({ id: this.made.size, type, free, origin: this.origin });
    this.made.set(key, expr);
    return expr;
  }

  literal(value: number, type: DType): Expr {
    const key = `${Object.is(value, -0) ? '-0' : value}:${type}`;
    return this.share(key, (c) => ({ ...c, kind: 'literal', value }), type, new Map());
  }

  position(index: Index, start: number, step: number, type: DType): Expr {
    const key = `p${index.key},${start},${step}:${type}`;
    return this.share(key, (c) => ({ ...c, kind: 'position', index, start, step }), type, axesOf([index]));
  }

  load(buffer: number, index: Index, type: DType): Expr {
    return this.share(`l${buffer}[${index.key}]`, (c) => ({ ...c, kind: 'load', buffer, index }), type, axesOf([index]));
  }

  call(op: ElementwiseSpec, args: readonly Expr[], type: DType): Expr {
    // Computed now: WGSL refuses constant expressions that overflow or have no value, such as 0 / 0.
    const known = args.flatMap((a) => (a.kind === 'literal' ? [a.value] : []));
    if (known.length === args.length) return this.literal(dtypes[type].round(referenceIn(op, type)(...known)), type);
    const key = `${op.name}(${args.map((a) => a.id).join()}):${type}`;
    return this.share(key, (c) => ({ ...c, kind: 'call', op, args }), type, union(args));
  }

  cast(value: Expr, type: DType): Expr {
    if (value.type === type) return value;
    if (value.kind === 'literal') return this.literal(dtypes[type].round(value.value), type);
    return this.share(`c${value.id}:${type}`, (c) => ({ ...c, kind: 'cast', value }), type, union([value]));
  }

  select(when: Condition | undefined | 'never', yes: Expr, no: Expr): Expr {
    if (when === undefined || yes === no) return yes;
    if (when === 'never') return no;
    const free = union([yes, no]);
    for (const test of when.tests) collectAxes(test.index, free);
    return this.share(`s${when.key}?${yes.id}:${no.id}`, (c) => ({ ...c, kind: 'select', when, yes, no }), yes.type, free);
  }

  bind(as: Axis, value: Expr, body: Expr): Expr {
    if (!body.free.has(as.key)) return body;
    const free = union([body]);
    free.delete(as.key);
    for (const [key, a] of value.free) free.set(key, a);
    const key = `b${as.key}=${value.id}:${body.id}`;
    return this.share(key, (c) => ({ ...c, kind: 'bind', as, value, body }), body.type, free);
  }

  /** A reduction; one directly inside another with the same combination becomes part of it. */
  reduce(combiner: Combiner, axes: readonly Axis[], body: Expr): Expr {
    if (body.kind === 'reduce' && body.combiner.name === combiner.name && body.combiner.identity === combiner.identity) {
      return this.reduce(combiner, [...axes, ...body.axes], body.body);
    }
    const free = union([body]);
    for (const a of axes) free.delete(a.key);
    const key = `r${combiner.name}:${combiner.identity}{${axes.map((a) => `${a.key}:${a.extent}`).join()}}${body.id}`;
    return this.share(key, (c) => ({ ...c, kind: 'reduce', combiner, axes, body }), body.type, free);
  }

  segment(over: Axis, first: Expr, last: Expr, body: Expr): Expr {
    const free = union([body]);
    free.delete(over.key);
    for (const [key, a] of union([first, last])) free.set(key, a);
    const key = `g${over.key}:${over.extent}{${first.id},${last.id}}${body.id}`;
    return this.share(key, (c) => ({ ...c, kind: 'segment', over, first, last, body }), body.type, free);
  }
}

function axesOf(indices: readonly Index[]): Map<string, Axis> {
  const found = new Map<string, Axis>();
  for (const index of indices) collectAxes(index, found);
  return found;
}

function union(parts: readonly Expr[]): Map<string, Axis> {
  const all = new Map<string, Axis>();
  for (const part of parts) for (const [key, a] of part.free) all.set(key, a);
  return all;
}

/** The expressions directly inside `expr`. */
export function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'call':
      return expr.args;
    case 'cast':
      return [expr.value];
    case 'select':
      return [expr.yes, expr.no];
    case 'bind':
      return [expr.value, expr.body];
    case 'reduce':
      return [expr.body];
    case 'segment':
      return [expr.first, expr.last, expr.body];
    default:
      return [];
  }
}

/** The same expression with other children. */
export function withChildren(b: Builder, expr: Expr, parts: readonly Expr[]): Expr {
  const [first = expr, second = expr, third = expr] = parts;
  switch (expr.kind) {
    case 'call':
      return b.call(expr.op, parts, expr.type);
    case 'cast':
      return b.cast(first, expr.type);
    case 'select':
      return b.select(expr.when, first, second);
    case 'bind':
      return b.bind(expr.as, first, second);
    case 'reduce':
      return b.reduce(expr.combiner, expr.axes, first);
    case 'segment':
      return b.segment(expr.over, first, second, third);
    default:
      return expr;
  }
}

/** The index of an axis, for those who build by axis. */
export const at = fromAxis;
