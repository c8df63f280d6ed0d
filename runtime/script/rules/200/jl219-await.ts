/** @file JL219: `await` of something else than a tensor's value. In: `await`. Out: a report at what is awaited. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { declaredFunctions, bare, isFunction } from '../../facts/functions.ts';
import { isHostRead } from '../../facts/reads.ts';
import { tensorCall } from '../../facts/uses.ts';
import { ts, type TS } from '../../typescript.ts';

export const otherAwait = defineRule({
  code: 'JL219',
  title: 'Only tensor reads may be awaited',
  severity: 'error',
  doc: `
    \`await t.item()\` lets the run wait for a value of the GPU. Nothing else can be waited for in the middle of a graph: do it
    before the call, and pass the result in.`,
  on: 'AwaitExpression',
  check(node, context) {
    const at = bare(node.expression);
    if (isAllowed(at, context)) return;
    context.report(node, 'only tensor reads may be awaited here');
  },
  bad: [
    `const z = await Promise.resolve(x);
            //^^^^^^^^^^^^^^^^^^^^^^^^ JL219: only tensor reads may be awaited here
    return z;`,
    `export const f = jit.script(async (x: Tensor, later: Promise<number>) => x.mul(await later));
                                                                                 //^^^^^^^^^^^ JL219`,
  ],
  good: [
    `const s = await x.sum().item();
    return x.div(s);`,
    `async function total(v: Tensor): Promise<number> { return await v.sum().item(); }
    export const f = jit.script(async (x: Tensor) => x.div(await total(x)));`,
  ],
});

/** A read, an op whose result has a size of its own (JL411), or a function of the user's that does only that. */
function isAllowed(node: TS.Expression, { types }: Context): boolean {
  if (!ts.isCallExpression(node)) return false;
  if (isHostRead(node, types) || tensorCall(node, types)) return true;
  const name = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
  return (
    isFunction(name) ||
    (ts.isIdentifier(name) && declaredFunctions(types.symbol(name)).some((fn) => !types.isOwnFile(fn.getSourceFile())))
  );
}
