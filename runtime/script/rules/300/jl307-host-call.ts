/** @file JL307: a call of what has no source to compile. In: calls. Out: a report at the function's name. */
import type { Context } from '../../context.ts';
import { change, fix, freeName, imported, replace } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { declaredFunctions, bare, isFunction, isWithin, some } from '../../facts/functions.ts';
import { rootOf } from '../../facts/uses.ts';
import { variableOf } from '../../facts/writes.ts';
import { plainType, withParameter } from '../../signature.ts';
import { ts, type TS } from '../../typescript.ts';

/** Of JavaScript's own: objects whose functions are known, and methods of lists, strings and numbers. */
const KNOWN = new Set([
  'Math',
  'Number',
  'console',
  'JSON',
  'Object',
  'Array',
  'String',
  'Boolean',
  'Date',
  'performance',
  'crypto',
  'Map',
  'Error',
]);
const OWNERS = new Set([
  'Array',
  'ReadonlyArray',
  'ConcatArray',
  'String',
  'Number',
  'Boolean',
  'Map',
  'ReadonlyMap',
  'Set',
  'RegExp',
  'Date',
  'Function',
  'CallableFunction',
]);
/** Functions that other rules speak of, or that are known. */
const FUNCTIONS = new Set(['eval', 'Number', 'String', 'Boolean', 'BigInt', 'Symbol', 'Array', 'isNaN', 'isFinite']);

export const hostCall = defineRule({
  code: 'JL307',
  title: 'A call that runs on the host',
  severity: 'error',
  doc: `
    To compile a call, its source must be there. Functions of Node, of the browser and of packages run on the host. Call them
    before, and pass the result in; mark the function around them \`@jit.ignore\` to keep it as a call of the host, or
    \`@jit.unused\` where it is never reached.
    A call whose result nobody uses gets \`jit.ignore\` around its function, which is called at its place in each run. One that uses
    nothing of the scripted function can be passed in instead: then it is called once before each run, also where a branch would
    have left it out.`,
  pytorch: 'The same decorators exist there, `@torch.jit.ignore` and `@torch.jit.unused`.',
  on: ['CallExpression', 'NewExpression'],
  check(node, context) {
    if (ts.isNewExpression(node)) return;
    const { expression } = node;
    if (expression.kind === ts.SyntaxKind.SuperKeyword || expression.kind === ts.SyntaxKind.ImportKeyword) return;
    if (ts.isAwaitExpression(node.parent) || !isHost(bare(expression), context)) return;
    context.report(expression, `‘${context.text(expression)}’ runs on the host`, {
      fixes: [ignored(node, context), passedIn(node, context)],
    });
  },
  bad: [
    `import { readFileSync } from 'node:fs';
    import { jit, type Tensor } from 'jitlens';
    export const f = jit.script((x: Tensor) => x.mul(readFileSync('scale.txt').length));
                                                   //^^^^^^^^^^^^ JL307: ‘readFileSync’ runs on the host`,
    `const again = structuredClone(n);
                //^^^^^^^^^^^^^^^ JL307: ‘structuredClone’ runs on the host
    return x.mul(again);`,
    `import { jit, type Tensor } from 'jitlens';
    declare function ask(question: string): number;
    export const f = jit.script((x: Tensor) => x.mul(ask('how much?')));
                                                   //^^^ JL307`,
    `import { jit, rand, type Tensor } from 'jitlens';
    declare function ask(question: string): number;
    declare function tell(answer: string): void;
    const f = jit.script((x: Tensor) => {
      tell('begin');
    //^^^^ JL307
      return x.mul(ask('how much?'));
                 //^^^ JL307
    });
    export const y = f(rand([2]));`,
  ],
  good: [
    `const parts = [1, 2].map((k) => x.mul(k)).slice(0, 1);
    return parts.reduce((a, b) => a.add(b)).mul(Math.max(n, 1));`,
    `function helper(x: Tensor): Tensor { return x.relu(); }
    export const f = jit.script((x: Tensor) => helper(x));`,
    `class Block extends jit.ScriptModule {
      inner = new nn.Linear(3, 3);
      forward(x: Tensor): Tensor {
        return this.inner.forward(x);
      }
    }`,
  ],
});

function isHost(callee: TS.Expression, context: Context): boolean {
  const { types } = context;
  if (isFunction(callee)) return false;
  const on = ts.isPropertyAccessExpression(callee) ? callee.expression : undefined;
  if (on && (types.mayBeTensor(context.type(on)) || types.isModule(context.type(on)))) return false;
  // An import of what is not there, or has no types, has no source either.
  const root = rootOf(callee);
  if (ts.isIdentifier(root) && types.isUnresolvedImport(root)) return true;
  if (types.isAny(context.type(callee))) return false;
  const name = ts.isPropertyAccessExpression(callee) ? callee.name : callee;
  if (!ts.isIdentifier(name)) return false;
  const symbol = types.symbol(name);
  const declaration = symbol?.declarations?.[0];
  if (!symbol || !declaration || types.isOwn(symbol)) return false;
  if (declaredFunctions(symbol).length > 0) return false;
  // A function that is passed in is known where it is passed.
  const variable = variableOf(symbol);
  if (variable && (ts.isParameter(variable) || ts.isBindingElement(variable))) return false;
  if (variable && !variable.getSourceFile().isDeclarationFile && !isAmbient(variable)) return isMadeByHost(variable, context);
  if (types.isHost(symbol)) {
    if (on && ts.isIdentifier(on) && KNOWN.has(on.text)) return false;
    const owner = declaration.parent;
    if (ts.isInterfaceDeclaration(owner) && OWNERS.has(owner.name.text)) return false;
    return on !== undefined || !FUNCTIONS.has(name.text);
  }
  // A method that an interface or an abstract class leaves open, of a record: nothing says what runs.
  return true;
}

function isAmbient(declaration: TS.Node): boolean {
  return (ts.getCombinedModifierFlags(declaration as TS.Declaration) & ts.ModifierFlags.Ambient) !== 0;
}

/** `const g = make()`: what JitLens gave may be called; what a package gave may not. */
function isMadeByHost(
  { initializer }: TS.VariableDeclaration | TS.ParameterDeclaration | TS.BindingElement,
  { types }: Context,
): boolean {
  const value = initializer && bare(initializer);
  if (!value || !ts.isCallExpression(value)) return false;
  const name = ts.isPropertyAccessExpression(value.expression) ? value.expression.name : value.expression;
  const symbol = types.symbol(name);
  return (
    symbol !== undefined &&
    !types.isOwn(symbol) &&
    (symbol.declarations?.every((d) => d.getSourceFile().isDeclarationFile) ?? false)
  );
}

/** A call for its effect stays where it is: the graph is cut there (JL507). */
function ignored(call: TS.CallExpression, { file, types }: Context) {
  const { expression, parent } = call;
  if (!ts.isExpressionStatement(parent) || !ts.isIdentifier(expression)) return undefined;
  const [declaration] = types.symbol(expression)?.declarations ?? [];
  const top = call.getSourceFile().statements.find((statement) => isWithin(call, statement));
  if (!declaration || !top) return undefined;
  // It is named before the statement, and must be there then.
  if (declaration.getSourceFile() === file && declaration.pos >= top.pos && !ts.isFunctionDeclaration(declaration))
    return undefined;
  if (!isTopLevel(declaration)) return undefined;
  const jit = imported(file, 'jit');
  const name = freeName(file, `host${expression.text.charAt(0).toUpperCase()}${expression.text.slice(1)}`);
  const line = `const ${name} = ${jit.text}.ignore(${expression.text});\n`;
  return fix(`Keep it as a call of the host: \`jit.ignore(${expression.text})\``, replace(expression, name), jit.changes, [
    { start: top.getStart(undefined, true), end: top.getStart(undefined, true), text: line },
  ]);
}

function passedIn(call: TS.CallExpression, context: Context) {
  const { unit, types } = context;
  if (!unit || ts.isExpressionStatement(call.parent)) return undefined;
  const type = plainType(context.type(call), context);
  const own = some(call, (node) => {
    if (node.kind === ts.SyntaxKind.ThisKeyword || ts.isAwaitExpression(node)) return true;
    const declaration = ts.isIdentifier(node) ? types.symbol(node)?.declarations?.[0] : undefined;
    if (!declaration || declaration.getSourceFile() !== context.file) return false;
    return !isTopLevel(declaration);
  });
  if (type === undefined || own || !ts.isIdentifier(call.expression)) return undefined;
  const name = freeName(unit, `${call.expression.text}Result`);
  const changes = withParameter(name, type, call.getText(), context);
  return changes && change(`Call it before, and pass the result in as ‘${name}’`, replace(call, name), changes);
}

/** Seen from everywhere in the file. */
function isTopLevel(declaration: TS.Node): boolean {
  const around = ts.isVariableDeclaration(declaration) ? declaration.parent.parent.parent : declaration.parent;
  return ts.isSourceFile(around) || ts.findAncestor(declaration, ts.isImportDeclaration) !== undefined;
}
