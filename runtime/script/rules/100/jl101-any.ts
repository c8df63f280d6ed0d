/** @file JL101: a value of type `any` or `unknown` reaches an op. In: uses of values. Out: one report for each name. */
import { defineRule } from '../../define.ts';
import { after, before, fix, imported, replace } from '../../edits.ts';
import { walk } from '../../facts/functions.ts';
import { rootOf, useOf } from '../../facts/uses.ts';
import { variableOf } from '../../facts/writes.ts';
import type { Change, Context } from '../../context.ts';
import { ts, type TS } from '../../typescript.ts';

export const anyValue = defineRule({
  code: 'JL101',
  title: 'A value of type any',
  severity: 'error',
  doc: `
    A graph is typed: to choose an op, the compiler must know whether a value is a Tensor or a number. \`any\` and \`unknown\`
    say nothing. Annotate the parameter or the variable.`,
  pytorch: 'A parameter without annotation is a Tensor to TorchScript. Here it is what TypeScript says it is.',
  on: ['Identifier', 'PropertyAccessExpression'],
  check(node, context) {
    const { types } = context;
    // The text first: what a name that nobody uses is would cost the checker as much.
    if (!used(node, context) || !types.isAny(context.type(node))) return;
    if (ts.isPropertyAccessExpression(node) && types.isAny(context.type(node.expression))) return;
    const symbol = types.symbol(ts.isPropertyAccessExpression(node) ? node.name : node);
    // A name that is not declared is TypeScript's to report.
    if (!symbol?.declarations || types.isHost(symbol) || !context.once(symbol)) return;
    const type = types.checker.typeToString(context.type(node));
    context.report(node, `‘${context.text(node)}’ is \`${type}\`; script mode needs to know whether it is a Tensor or a number`, {
      fixes: annotations(symbol, context),
    });
  },
  bad: [
    `const twice = (v: any) => v.mul(2);
                            //^ JL101: ‘v’ is \`any\`; script mode needs to know whether it is a Tensor or a number
    return twice(x);`,
    `export const f = jit.script((x: Tensor, scale: any) => x.mul(scale));
                                                               //^^^^^ JL101`,
    `const scaled = (v: Tensor, k: any) => v.mul(k + 1);
                                              //^ JL101
    return scaled(x, 2);`,
  ],
  good: [
    `const twice = (v: Tensor) => v.mul(2);
    return twice(x);`,
    `const parsed: any = 2;
    const scale: number = parsed;
    return x.mul(scale);`,
  ],
});

function used(node: TS.Expression, context: Context): boolean {
  const use = useOf(node, context);
  if (use) return use.as !== 'result';
  return ts.isForOfStatement(node.parent) && node.parent.expression === node && rootOf(node) === node;
}

/** What its uses allow: a field or a method is a Tensor's, arithmetic is a number's, an argument may be either. */
function annotations(symbol: TS.Symbol, context: Context) {
  const { types, file } = context;
  const uses = new Set<string>();
  walk(file, (node) => {
    if (!ts.isIdentifier(node) || node.text !== symbol.name || types.symbol(node) !== symbol) return true;
    const as = useOf(node, context)?.as;
    if (as) uses.add(as);
    return true;
  });
  const tensor = imported(file, 'Tensor', true);
  const asTensor = uses.has('operand') ? undefined : annotate(symbol, 'Tensor', tensor.text, context, tensor.changes);
  const asNumber = uses.has('receiver') ? undefined : annotate(symbol, 'number', 'number', context);
  return [asTensor, asNumber];
}

function annotate(symbol: TS.Symbol, what: string, as: string, { file }: Context, changes: readonly Change[] = []) {
  const declaration = variableOf(symbol);
  if (!declaration || ts.isBindingElement(declaration) || declaration.getSourceFile() !== file) return undefined;
  const { type, name, initializer, parent } = declaration;
  const title = `Annotate as ${what}`;
  if (type) return fix(title, replace(type, as), changes);
  if (ts.isVariableDeclaration(declaration)) return initializer ? fix(title, after(name, `: ${as}`), changes) : undefined;
  if (initializer) return undefined;
  const lone = ts.isArrowFunction(parent) && !parent.getText().startsWith('(') && parent.parameters.length === 1;
  return fix(title, lone ? [before(name, '(')] : [], after(name, `: ${as}${lone ? ')' : ''}`), changes);
}
