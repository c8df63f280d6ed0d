/** @file JL304: a function is stored or returned. In: function expressions and names of local functions. Out: a report at it. */
import type { Context, FoundFix } from '../../context.ts';
import { fix, freeName, indentOf, replace } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { isFunction, walk, type FunctionNode } from '../../facts/functions.ts';
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
    into an object or a list, or assigned. The quick fix holds it in a \`const\`: for a \`let\` that is never assigned again, and for
    the fields of an object whose functions are only called by their names. A function that is returned has no place in a result:
    return what it would be called for.`,
  pytorch: 'Lambdas and nested functions are refused altogether.',
  on: ['ArrowFunction', 'FunctionExpression', 'Identifier'],
  check(node, context) {
    if (node === context.unit) return;
    const at = outermost(node);
    if (isFunction(node) ? staysIn(at) : !isLocalFunction(node, context) || calledHere(at)) return;
    context.report(isFunction(node) ? head(node) : node, 'this function escapes', {
      fixes: isFunction(node) ? [asConst(at, context), byName(at, context)] : [],
    });
  },
  bad: [
    `const twice = (v: Tensor) => v.mul(2);
    return [twice, x] as const;
          //^^^^^ JL304: this function escapes`,
    `const ops = { twice: (v: Tensor) => v.mul(2) };
                       //^^^^^^^^^^^^^^ JL304
    return x;`,
    `let twice = (v: Tensor) => v.mul(2);
              //^^^^^^^^^^^^^^ JL304
    return twice(x);`,
    `const ops = { twice: (v: Tensor) => v.mul(2), half: (v: Tensor) => v.div(2) };
                       //^^^^^^^^^^^^^^ JL304
                                                      //^^^^^^^^^^^^^^ JL304
    return ops.half(ops.twice(x));
         //^^^^^^^^ JL307
                  //^^^^^^^^^ JL307`,
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
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  const symbol = context.types.symbol(node);
  const declaration = variableOf(symbol);
  const isOne = declaration
    ? ts.isVariableDeclaration(declaration) && declaration.initializer !== undefined && isFunction(declaration.initializer)
    : symbol?.declarations?.some(ts.isFunctionDeclaration);
  return isOne === true && !context.isOuter(symbol) && context.types.kind(context.type(node)) === 'function';
}

function calledHere(at: TS.Expression): boolean {
  return ts.isCallExpression(at.parent) || ts.isTypeQueryNode(at.parent);
}

/** `(v) => …` without its body. */
function head(fn: FunctionNode): { readonly start: number; readonly end: number } {
  const end = ts.isArrowFunction(fn) ? fn.equalsGreaterThanToken.end : (fn.body?.pos ?? fn.end);
  return { start: fn.getStart(), end };
}

function asConst(at: TS.Expression, { types, writes, file }: Context): FoundFix | undefined {
  const { parent } = at;
  if (!ts.isVariableDeclaration(parent) || !ts.isVariableDeclarationList(parent.parent)) return undefined;
  const list = parent.parent;
  if (list.declarations.length > 1 || writes.of(types.symbol(parent.name), file).length > 0) return undefined;
  const [word] = list.getChildren();
  return word && fix('Make it a const', replace(word, 'const'));
}

/** `const ops = { twice: … }` becomes `const twice = …`, when every use is `ops.twice(…)`. */
function byName(at: TS.Expression, { types }: Context): FoundFix | undefined {
  const object = at.parent.parent;
  const declaration = object.parent;
  if (!ts.isObjectLiteralExpression(object) || !ts.isVariableDeclaration(declaration) || declaration.type) return undefined;
  const list = declaration.parent;
  const scope = list.parent.parent;
  if (!ts.isVariableDeclarationList(list) || list.declarations.length > 1 || !ts.isBlock(scope)) return undefined;
  const names = new Map<string, string>();
  const lines: string[] = [];
  for (const field of object.properties) {
    if (!ts.isPropertyAssignment(field) || !ts.isIdentifier(field.name) || !isFunction(field.initializer)) return undefined;
    const name = freeName(at, field.name.text);
    names.set(field.name.text, name);
    lines.push(`const ${name} = ${field.initializer.getText()};`);
  }
  const symbol = types.symbol(declaration.name);
  const changes = [replace(list.parent, lines.join(`\n${indentOf(list)}`))];
  const others: TS.Node[] = [];
  walk(scope, (node) => {
    if (!ts.isIdentifier(node) || node === declaration.name || types.symbol(node) !== symbol) return true;
    const read = node.parent;
    const isRead = ts.isPropertyAccessExpression(read) && ts.isCallExpression(read.parent) && read.parent.expression === read;
    const name = isRead ? names.get(read.name.text) : undefined;
    if (name === undefined) others.push(node);
    else changes.push(replace(read, name));
    return true;
  });
  return others.length > 0 ? undefined : fix('Hold each function in a const', changes);
}
