/** @file JL204: a loop changes the array that it walks. In: `for…of`. Out: a report at the change, with the loop. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { declaredFunctions, bare, isFunction, walk, type FunctionNode } from '../../facts/functions.ts';
import { variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const changedWhileWalked = defineRule({
  code: 'JL204',
  title: 'A loop changes the array that it walks',
  severity: 'error',
  doc: `
    JavaScript reads the length of an array again on each turn, so a loop that pushes into what it walks goes on longer, and one
    that pops stops earlier. A compiled loop reads the length once. Collect into a new array instead. A cast or another name for
    the same array changes nothing about that.`,
  pytorch: 'TorchScript reads the length once, silently; Python reads it on each turn.',
  on: 'ForOfStatement',
  check(loop, context) {
    const walked = path(loop.expression, context);
    if (!walked) return;
    const names = aliases(walked, loop, context);
    const change = changeIn(loop.statement, names, context, new Set());
    if (!change) return;
    const line = context.line(change);
    context.report(loop.expression, `the loop changes ‘${context.text(bare(loop.expression))}’ (line ${line}) while walking it`, {
      related: [{ message: 'changed here', node: change }],
    });
  },
  bad: [
    `const walk = (ns: readonly number[]) => {
      let z = x;
      for (const k of ns) {
                    //^^ JL204: the loop changes ‘ns’ (line 8) while walking it
        z = z.add(k);
        (ns as number[]).push(1);
      }
      return z;
    };
    return walk([1, 2]);`,
    `const walk = (ns: readonly Tensor[]) => {
      const same = ns as Tensor[];
      let z = x;
      for (const k of ns) {
                    //^^ JL204
        z = z.add(k);
        same[0] = z;
      }
      return z;
    };
    return walk([x]);`,
    `function grow(list: number[]): void { list.length = 0; }
    export const f = jit.script((x: Tensor, ns: readonly number[]) => {
      let z = x;
      for (const k of ns) {
                    //^^ JL204
        z = z.add(k);
        grow(ns as number[]);
      }
      return z;
    });`,
  ],
  good: [
    `const walk = (ns: readonly number[]) => {
      const out: number[] = [];
      for (const k of ns) out.push(k);
      return x.mul(out.length);
    };
    return walk([1, 2]);`,
    `function last(list: readonly number[]): number { return list.length; }
    export const f = jit.script((x: Tensor, ns: readonly number[]) => {
      let z = x;
      for (const k of ns) z = z.add(k).mul(last(ns));
      return z;
    });`,
  ],
});

/** The variable or field that an expression names. */
function path(node: TS.Expression, { types }: Context): TS.Symbol | undefined {
  const at = bare(node);
  if (ts.isIdentifier(at)) return types.symbol(at);
  return ts.isPropertyAccessExpression(at) ? types.symbol(at.name) : undefined;
}

/** All names within the function for the array that `walked` names. */
function aliases(walked: TS.Symbol, loop: TS.Node, context: Context): Set<TS.Symbol> {
  const names = new Set([walked]);
  const root = context.unit ?? loop.getSourceFile();
  const pairs: [TS.Symbol, TS.Symbol][] = [];
  walk(root, (node) => {
    if (ts.isVariableDeclaration(node) && node.initializer && ts.isIdentifier(node.name)) {
      const b = path(node.initializer, context);
      const a = b && context.types.symbol(node.name);
      if (a) pairs.push([a, b]);
    }
    return true;
  });
  for (let size = 0; size !== names.size;) {
    size = names.size;
    for (const [a, b] of pairs) if (names.has(a) !== names.has(b)) names.add(a).add(b);
  }
  return names;
}

/** A place below a node that changes one of these arrays, in a function that it calls too. */
function changeIn(root: TS.Node, names: ReadonlySet<TS.Symbol>, context: Context, seen: Set<FunctionNode>): TS.Node | undefined {
  for (const symbol of names) {
    const write = context.writes.within(symbol, root).find((w) => w.kind === 'mutate');
    if (write) return write.node;
  }
  let found: TS.Node | undefined;
  walk(root, (node) => {
    if (found || !ts.isCallExpression(node)) return !found;
    const { expression } = node;
    const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
    for (const fn of ts.isIdentifier(name) ? declaredFunctions(context.types.symbol(name)) : []) {
      if (seen.has(fn) || context.types.isOwnFile(fn.getSourceFile())) continue;
      const inner = new Set<TS.Symbol>();
      fn.parameters.forEach((p, i) => {
        const argument = node.arguments[i];
        const given = argument && path(argument, context);
        const own = ts.isIdentifier(p.name) ? context.types.symbol(p.name) : undefined;
        if (given && own && names.has(given) && variableOf(own)) inner.add(own);
      });
      // Fields and outer names mean the same inside.
      for (const symbol of names) if (!symbol.declarations?.some(ts.isParameter)) inner.add(symbol);
      if (inner.size > 0) context.lookBeyond();
      if (fn.body && inner.size > 0 && !isFunction(root) && changeIn(fn, inner, context, seen.add(fn))) found = node;
    }
    return !found;
  });
  return found;
}
