/**
 * @file What a value cannot be computed without. In: an expression. Out: the expressions that are computed whatever its
 * conditions turn out to be; for a choice between two, those that both need.
 */
import { children, type Expr } from './expr.ts';

type Select = Extract<Expr, { kind: 'select' }>;

/** The largest expressions that both arms need. */
export function neededByBoth({ yes, no }: Select): Expr[] {
  const needs = new Map<Expr, ReadonlySet<Expr>>();
  const common = [...intersection(neededBy(yes, needs), neededBy(no, needs))];
  return common.filter((e) => !common.some((other) => other !== e && neededBy(other, needs).has(e)));
}

/** The expression and all that computing it always computes, literals aside. */
function neededBy(expr: Expr, known: Map<Expr, ReadonlySet<Expr>>): ReadonlySet<Expr> {
  const before = known.get(expr);
  if (before) return before;
  const found = new Set<Expr>(expr.kind === 'literal' ? [] : [expr]);
  const add = (needs: Iterable<Expr>): void => {
    for (const e of needs) found.add(e);
  };
  if (expr.kind === 'call') for (const arg of expr.args) add(neededBy(arg, known));
  if (expr.kind === 'cast' || expr.kind === 'bind') add(neededBy(expr.value, known));
  if (expr.kind === 'segment') for (const e of [expr.first, expr.last]) add(neededBy(e, known));
  if (expr.kind === 'select') add(intersection(neededBy(expr.yes, known), neededBy(expr.no, known)));
  known.set(expr, found);
  return found;
}

function intersection(a: ReadonlySet<Expr>, b: ReadonlySet<Expr>): Set<Expr> {
  return new Set([...a].filter((e) => b.has(e)));
}

/** Both arms of a small select are computed; the arms of a large one stand in an if. */
export function isBranch(expr: Expr): expr is Select {
  if (expr.kind !== 'select') return false;
  let budget = 12;
  const visit = (e: Expr): boolean => e.kind === 'reduce' || e.kind === 'segment' || --budget < 0 || children(e).some(visit);
  return visit(expr);
}
