/** @file JL304: a function is stored or returned. In: function expressions and names of local functions. Out: a report at it. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { isFunction, type FunctionNode } from '../../facts/functions.ts';
import { outermost } from '../../facts/uses.ts';
import { variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const escapes = defineRule({
  code: 'JL304',
  title: 'A function escapes',
  severity: 'error',
  doc: `
    There are no function values in a graph: functions are written out where they are called. So a function may be called in
    place, passed to \`map\` or \`reduce\`, or held in a \`const\` and called. It may not be returned, put
    into an object or a list, or assigned.`,
  pytorch: 'Lambdas and nested functions are refused altogether.',
  on: ['ArrowFunction', 'FunctionExpression', 'Identifier'],
  check(node, context) {
    if (node === context.unit) return;
    const at = outermost(node);
    if (isFunction(node) ? staysIn(at) : !isLocalFunction(node, context) || calledHere(at)) return;
    context.report(isFunction(node) ? head(node) : node, 'this function escapes');
  },
  bad: [
    `const twice = (v: Tensor) => v.mul(2);
    return [twice, x] as const;
          //^^^^^ JL304: this function escapes`,
    `const ops = { twice: (v: Tensor) => v.mul(2) };
                       //^^^^^^^^^^^^^^ JL304
    return x;`,
    `export const f = jit.script((k: number) => {
      return (v: Tensor) => v.mul(k);
           //^^^^^^^^^^^^^^ JL304
    });`,
  ],
  good: [
    `const twice = (v: Tensor) => v.mul(2);
    return twice(((v: Tensor) => v.relu())(x));`,
    `const parts = [1, 2].map((k) => x.mul(k));
    return parts.reduce((a, b) => a.add(b));`,
  ],
});

function staysIn(at: TS.Expression): boolean {
  const { parent } = at;
  if (ts.isCallExpression(parent)) return true;
  if (ts.isParameter(parent)) return parent.initializer === at;
  return ts.isVariableDeclaration(parent) && (ts.getCombinedNodeFlags(parent) & ts.NodeFlags.Const) !== 0;
}

/** A nested function, by its name. */
function isLocalFunction(node: TS.Identifier, context: Context): boolean {
  const { parent } = node;
  if (
    (ts.isFunctionDeclaration(parent) || ts.isVariableDeclaration(parent) || ts.isFunctionExpression(parent)) &&
    parent.name === node
  )
    return false;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return false;
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if (context.types.kind(context.type(node)) !== 'function') return false;
  const symbol = context.types.symbol(node);
  if (!symbol || context.isOuter(symbol)) return false;
  const declaration = variableOf(symbol);
  if (declaration)
    return ts.isVariableDeclaration(declaration) && declaration.initializer !== undefined && isFunction(declaration.initializer);
  return symbol.declarations?.some(ts.isFunctionDeclaration) ?? false;
}

function calledHere(at: TS.Expression): boolean {
  return ts.isCallExpression(at.parent) || ts.isTypeQueryNode(at.parent);
}

/** `(v) => …` without its body. */
function head(fn: FunctionNode): { readonly start: number; readonly end: number } {
  const end = ts.isArrowFunction(fn) ? fn.equalsGreaterThanToken.end : (fn.body?.pos ?? fn.end);
  return { start: fn.getStart(), end };
}
