/** @file JL219: `await` of something else than a tensor's value. In: `await`. Out: a report at what is awaited. */
import type { Context } from '../../context.ts';
import { asyncAt, before, change, replace } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { declaredFunctions, bare, isFunction, walk } from '../../facts/functions.ts';
import { isHostRead } from '../../facts/reads.ts';
import { tensorCall } from '../../facts/uses.ts';
import { scriptedHere } from '../../signature.ts';
import { ts, type TS } from '../../typescript.ts';

export const otherAwait = defineRule({
  code: 'JL219',
  title: 'Only tensor reads may be awaited',
  severity: 'error',
  doc: `
    \`await t.item()\` lets the run wait for a value of the GPU. Nothing else can be waited for in the middle of a graph: do it
    before the call, and pass the result in. The quick fix does so for a promise that comes in as a parameter; what is made of the
    function's own values cannot be awaited before it runs.`,
  on: 'AwaitExpression',
  check(node, context) {
    const at = bare(node.expression);
    if (isAllowed(at, context)) return;
    context.report(node, 'only tensor reads may be awaited here', { fixes: [settled(at, context)] });
  },
  bad: [
    `const z = await Promise.resolve(x);
            //^^^^^^^^^^^^^^^^^^^^^^^^ JL219: only tensor reads may be awaited here
    return z;`,
    `export const f = jit.script(async (x: Tensor, later: Promise<number>) => x.mul(await later));
                                                                                 //^^^^^^^^^^^ JL219`,
    `const f = jit.script(async (x: Tensor, later: Promise<number>) => x.mul(await later));
                                                                          //^^^^^^^^^^^ JL219
    export async function run(x: Tensor): Promise<Tensor> {
      return f(x, Promise.resolve(2));
    }`,
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

/** The parameter is what the promise gives, and its callers wait for it. */
function settled(awaited: TS.Expression, context: Context) {
  const { types } = context;
  const scripted = scriptedHere(context);
  const symbol = ts.isIdentifier(awaited) ? types.symbol(awaited) : undefined;
  const parameter = symbol?.declarations?.find(ts.isParameter);
  if (!scripted || !symbol || !parameter?.type || parameter.parent !== scripted.fn) return undefined;
  const { type } = parameter;
  const inner = ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Promise' ? type.typeArguments?.[0] : undefined;
  if (!inner || parameter.initializer) return undefined;
  const at = scripted.fn.parameters.indexOf(parameter);
  const given = scripted.calls.map((call) => call.arguments[at]);
  const changes = given.flatMap((argument) => {
    if (!argument || (argument.parent as TS.CallExpression).arguments.some(ts.isSpreadElement)) return [];
    const first = asyncAt(argument);
    return first ? [[...first, before(argument, 'await ')]] : [];
  });
  if (changes.length < given.length) return undefined;
  const uses: TS.Expression[] = [];
  const others: TS.Node[] = [];
  walk(scripted.fn, (node) => {
    if (!ts.isIdentifier(node) || node === parameter.name || types.symbol(node) !== symbol) return true;
    if (ts.isAwaitExpression(node.parent)) uses.push(node.parent);
    else others.push(node);
    return true;
  });
  if (others.length > 0) return undefined;
  return change(`Await ‘${symbol.name}’ outside, and pass in what it gives`, replace(type, inner.getText()), [
    ...uses.map((use) => replace(use, symbol.name)),
    ...changes.flat(),
  ]);
}
