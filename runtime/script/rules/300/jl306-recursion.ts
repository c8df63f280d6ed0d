/** @file JL306: a function that reaches itself. In: calls. Out: a report at the call that closes the circle. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { declaredFunctions, keyOf, nameOf, type FunctionNode } from '../../facts/functions.ts';
import { isExcluded } from '../../facts/reach.ts';
import { ts, type TS } from '../../typescript.ts';

export const recursion = defineRule({
  code: 'JL306',
  title: 'A function calls itself',
  severity: 'error',
  doc: `
    Calls are written out where they stand, so a function that calls itself, directly or through others, would make an endless
    graph. Use a loop. There is no quick fix: what is left to do after the inner call must be kept somewhere, and only its meaning says
    in which variables.`,
  pytorch: '“function ‘f’ is called recursively. Recursive calls are not supported.”',
  on: 'CallExpression',
  check(node, context) {
    const { types, unit } = context;
    const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
    if (!unit || !ts.isIdentifier(name)) return;
    for (const callee of declaredFunctions(types.symbol(name))) {
      if (types.isOwnFile(callee.getSourceFile()) || isExcluded(callee, types)) continue;
      const path = circle(
        callee,
        callee.pos > unit.pos && callee.end <= unit.end && callee.getSourceFile() === context.file ? callee : unit,
        node,
        context,
      );
      if (!path) continue;
      context.report(node.expression, `${path.map(nameOf).join(' → ')} calls itself`, {
        related: path.slice(1, -1).map((fn) => ({ message: `‘${nameOf(fn)}’ is on the way`, node: fn.name ?? fn })),
      });
      return;
    }
  },
  bad: [
    `function fact(v: Tensor, k: number): Tensor {
      return k === 0 ? v : fact(v.mul(k), k - 1);
                         //^^^^ JL306: fact → fact calls itself
    }
    return fact(x, n);`,
    `function even(x: Tensor, k: number): Tensor { return k === 0 ? x : odd(x, k - 1); }
                                                                     //^^^ JL306: even → odd → even calls itself
    function odd(x: Tensor, k: number): Tensor { return k === 0 ? x.neg() : even(x, k - 1); }
                                                                          //^^^^ JL306: odd → even → odd calls itself
    export const f = jit.script(even);`,
  ],
  good: [
    `function inner(x: Tensor): Tensor { return x.relu(); }
    function outer(x: Tensor): Tensor { return inner(inner(x)); }
    export const f = jit.script((x: Tensor) => outer(inner(x)));`,
    `let z = x;
    for (let k = n; k > 0; k--) z = z.mul(k);
    return z;`,
  ],
});

/** The functions from `goal` through `callee` back to `goal`. */
function circle(callee: FunctionNode, goal: FunctionNode, call: TS.Node, context: Context): FunctionNode[] | undefined {
  const { reach } = context;
  if (callee === goal) {
    const inside = call.pos > goal.pos && call.end <= goal.end;
    return inside ? [goal, goal] : undefined;
  }
  context.lookBeyond();
  const seen = new Set<string>();
  const follow = (fn: FunctionNode): FunctionNode[] | undefined => {
    if (seen.has(keyOf(fn))) return undefined;
    seen.add(keyOf(fn));
    for (const { key } of reach.callsOf(fn)) {
      const next = reach.functionOf(key);
      if (!next) continue;
      if (next === goal) return [fn, goal];
      const rest = follow(next);
      if (rest) return [fn, ...rest];
    }
    return undefined;
  };
  const path = follow(callee);
  return path && [goal, ...path];
}
