/** @file JL311: code that is not known when a function is compiled. In: eval and its like. Out: a report. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { ts } from '../../typescript.ts';

export const hiddenCode = defineRule({
  code: 'JL311',
  title: 'Code that is not known at compile time',
  severity: 'error',
  doc: `
    \`eval\`, \`new Function\`, \`with\`, \`arguments\` and a dynamic \`import()\` run or name code that nobody knows before the run.`,
  pytorch: '`eval`, `exec` and imports within a function are refused there.',
  on: ['CallExpression', 'NewExpression', 'WithStatement', 'Identifier'],
  check(node, context) {
    const say = (what: string) => context.report(node, `‘${what}’ hides code from the compiler`);
    if (ts.isWithStatement(node)) say('with');
    else if (ts.isCallExpression(node)) {
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword) say('import()');
      if (isGlobal(node.expression, 'eval', context) || isGlobal(node.expression, 'Function', context))
        say(node.expression.getText());
    } else if (ts.isNewExpression(node)) {
      if (isGlobal(node.expression, 'Function', context)) say('new Function');
    } else if (node.text === 'arguments' && ts.isExpression(node) && !isKey(node)) {
      if (!context.types.symbol(node)?.declarations) say('arguments');
    }
  },
  bad: [
    `const k = eval('2');
            //^^^^^^^^^ JL311: ‘eval’ hides code from the compiler
    return x;`,
    `const k = new Function('return 2');
            //^^^^^^^^^^^^^^^^^^^^^^^^ JL311: ‘new Function’ hides code from the compiler
    return x;`,
    `export const f = jit.script(function (x: Tensor) {
      return x.mul(arguments.length);
                 //^^^^^^^^^ JL311
    });`,
  ],
  good: [
    `const evaluate = (k: number) => k * 2;
    return x.mul(evaluate(n));`,
    `const sum = (...parts: Tensor[]) => parts.reduce((a, b) => a.add(b));
    return sum(x, y);`,
  ],
});

function isGlobal(node: Parameters<Context['text']>[0], name: string, { types }: Context): boolean {
  if (!ts.isIdentifier(node) || node.text !== name) return false;
  const symbol = types.symbol(node);
  return !symbol || types.isHost(symbol);
}

function isKey(node: Parameters<Context['text']>[0]): boolean {
  return ts.isPropertyAssignment(node.parent) && node.parent.name === node;
}
