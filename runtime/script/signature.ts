/**
 * @file Fixes that give a scripted function another parameter. In: the function, the parameter, what callers pass. Out: the edits of
 * the function and of all its calls in the file; none where one of them cannot be made. Callers in other files get TypeScript's
 * own error, so such a fix is only made when it is chosen.
 */
import type { Change, Context } from './context.ts';
import { after } from './edits.ts';
import { isFunction, isWithin, some, walk, type FunctionNode } from './facts/functions.ts';
import { ts, type TS } from './typescript.ts';

interface Scripted {
  readonly fn: FunctionNode;
  readonly calls: readonly TS.CallExpression[];
}

/** The function around, when it is `const f = jit.script(…)` and all that the file does with `f` is to call it. */
export function scriptedHere(context: Context): Scripted | undefined {
  const { unit, types, file } = context;
  if (!unit || context.running !== 'scripted' || !ts.isCallExpression(unit.parent)) return undefined;
  const call = unit.parent;
  const variable = call.parent;
  if (types.ownName(call.expression) !== 'jit.script' || call.arguments[0] !== unit) return undefined;
  if (!ts.isVariableDeclaration(variable) || variable.type || !ts.isIdentifier(variable.name)) return undefined;
  const symbol = types.symbol(variable.name);
  const calls: TS.CallExpression[] = [];
  const others: TS.Node[] = [];
  walk(file, (node) => {
    if (!ts.isIdentifier(node) || node === variable.name || node.text !== symbol?.name || types.symbol(node) !== symbol)
      return true;
    const { parent } = node;
    if (ts.isCallExpression(parent) && parent.expression === node) calls.push(parent);
    else others.push(node);
    return true;
  });
  context.lookBeyond();
  return others.length > 0 ? undefined : { fn: unit, calls };
}

/** Adds `name: type` at the end, and `argument` to each call. */
export function withParameter(name: string, type: string, argument: string, context: Context): Change[] | undefined {
  const scripted = scriptedHere(context);
  if (!scripted) return undefined;
  const { fn, calls } = scripted;
  const count = fn.parameters.length;
  const last = fn.parameters.at(-1);
  if (last && (last.dotDotDotToken ?? last.questionToken ?? last.initializer)) return undefined;
  const full = (call: TS.CallExpression) => call.arguments.length === count && !call.arguments.some(ts.isSpreadElement);
  if (!calls.every(full)) return undefined;
  if (calls.some((call) => isWithin(call, fn) || meansOther(argument, call))) return undefined;
  return [inList(fn, last, `${name}: ${type}`), ...calls.map((call) => inList(call, call.arguments.at(-1), argument))].flat();
}

/** Whether a name of the argument may be another's where the function is called. */
function meansOther(argument: string, call: TS.CallExpression): boolean {
  const names = new Set(argument.match(/[A-Za-z_$][\w$]*/g));
  const around = ts.findAncestor(call, (node) => ts.isSourceFile(node.parent));
  const declares = (node: TS.Node) => {
    const name = ts.isVariableDeclaration(node) || ts.isParameter(node) || ts.isBindingElement(node) ? node.name : undefined;
    return name !== undefined && ts.isIdentifier(name) && names.has(name.text);
  };
  return around !== undefined && some(around, declares);
}

function inList(list: FunctionNode | TS.CallExpression, last: TS.Node | undefined, text: string): Change[] {
  if (last) {
    const bareArrow = isFunction(list) && !list.getChildren().some((c) => c.kind === ts.SyntaxKind.OpenParenToken);
    if (!bareArrow) return [after(last, `, ${text}`)];
    return [{ start: last.getStart(), end: last.getStart(), text: '(' }, after(last, `, ${text})`)];
  }
  const open = list.getChildren().find((c) => c.kind === ts.SyntaxKind.OpenParenToken);
  return open ? [after(open, text)] : [];
}

/** How a type is written, where that is short and needs no import. */
export function plainType(type: TS.Type, { types }: Context): string | undefined {
  const wide = types.checker.getBaseTypeOfLiteralType(type);
  const kind = types.kind(wide);
  if (kind === 'number' || kind === 'boolean' || kind === 'string') return kind;
  if (kind !== 'record' && kind !== 'array') return undefined;
  const text = types.checker.typeToString(wide);
  // Only what is written out: names may mean nothing where the function is.
  const names = text.replace(/\w+\??:|readonly|number|string|boolean|true|false/g, '');
  return text.length < 80 && !/[\w.]/.test(names) ? text.replace(/; \}/g, ' }') : undefined;
}
