/** @file JL205: a C-style `for` whose trip count is not known when it starts. In: `for (;;)`. Out: a warning. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, imported, remove } from '../../edits.ts';
import { constantOf } from '../../facts/numbers.ts';
import { readsOf } from '../../facts/flow.ts';
import { isStep } from '../../facts/writes.ts';
import { signOf } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

export const cStyleFor = defineRule({
  code: 'JL205',
  title: 'A for loop of unknown length',
  severity: 'warning',
  doc: `
    \`for (let i = 0; i < n; i++)\` is the same as \`for (const i of range(n))\` where nothing else changes \`i\` or \`n\` and the step
    is a constant; then its length is known when it starts. Otherwise it is compiled as a \`while\`, turn by turn.`,
  pytorch: 'Python has no such loop.',
  on: 'ForStatement',
  check(node, context) {
    const { initializer, condition, incrementor } = node;
    if (!condition || !initializer || !ts.isVariableDeclarationList(initializer)) return;
    const [variable, ...others] = initializer.declarations;
    if (!variable || others.length > 0 || !ts.isIdentifier(variable.name)) return;
    const { types, writes } = context;
    const symbol = types.symbol(variable.name);
    const name = variable.name.text;
    const inBody = writes.within(symbol, node.statement)[0];
    if (inBody) {
      const { parent } = inBody.node;
      const step = ts.isExpression(parent) ? parent : inBody.node;
      context.report(step, `‘${name}’ is also changed in the body, so the trip count is unknown`, {
        related: [{ message: 'the loop', node: initializer }],
        fixes: [asRange(node, variable, context)],
      });
      return;
    }
    if (!incrementor || stepOf(incrementor, symbol, context) === undefined) {
      context.report(incrementor ?? condition, `the step of ‘${name}’ is not a constant, so the trip count is unknown`);
      return;
    }
    const bound = ts.isBinaryExpression(condition) ? condition.right : undefined;
    const moving =
      bound &&
      readsOf(condition, (id) => types.symbol(id) !== symbol && writes.within(types.symbol(id), node.statement).length > 0)[0];
    if (moving) context.report(moving, `‘${moving.text}’ is changed in the body, so the trip count is unknown`);
  },
  bad: [
    `let z = x;
    for (let i = 0; i < 10; i++) {
      z = z.add(i);
      i++;
    //^^^ JL205: ‘i’ is also changed in the body, so the trip count is unknown
    }
    return z;`,
    `let z = x;
    let end = 10;
    for (let i = 0; i < end; i++) {
                      //^^^ JL205: ‘end’ is changed in the body
      z = z.add(i);
      end = end - 1;
    }
    return z;`,
    `let z = x;
    for (let i = 1; i < 100; i *= 2) z = z.add(i);
                           //^^^^^^ JL205
    return z;`,
  ],
  good: [
    `let z = x;
    for (let i = 0; i < n; i++) z = z.add(i);
    return z;`,
    `let z = x;
    for (let i = 10; i >= 0; i -= 2) z = z.add(i);
    return z;`,
    `const sum = (parts: readonly Tensor[]) => {
      let z = x;
      for (let i = 0; i < parts.length; i += 1) z = z.add(parts[i]!);
      return z;
    };
    return sum([x, y]);`,
  ],
});

/** What a step adds to the variable: `i++`, `i += 2`, `i = i + 2`. */
function stepOf(node: TS.Expression, symbol: TS.Symbol | undefined, { types }: Context): number | undefined {
  if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node)) {
    if (types.symbol(node.operand) !== symbol) return undefined;
    return node.operator === ts.SyntaxKind.PlusPlusToken ? 1 : -1;
  }
  if (!ts.isBinaryExpression(node) || types.symbol(node.left) !== symbol) return undefined;
  const sign = signOf(node);
  if (sign === '+=' || sign === '-=') {
    const value = constantOf(node.right, types);
    return value === undefined ? undefined : sign === '+=' ? value : -value;
  }
  const { right } = node;
  if (sign !== '=' || !ts.isBinaryExpression(right) || types.symbol(right.left) !== symbol) return undefined;
  const value = constantOf(right.right, types);
  if (value === undefined) return undefined;
  return signOf(right) === '+' ? value : signOf(right) === '-' ? -value : undefined;
}

/** A body whose last statement steps once more is a range with a longer step. */
function asRange(node: TS.ForStatement, variable: TS.VariableDeclaration, context: Context) {
  const { types, writes } = context;
  const { condition, incrementor, statement } = node;
  const symbol = types.symbol(variable.name);
  const start = variable.initializer && constantOf(variable.initializer, types);
  if (!condition || !incrementor || !ts.isBlock(statement) || start === undefined || !Number.isInteger(start)) return undefined;
  const last = statement.statements.at(-1);
  if (!last || !ts.isExpressionStatement(last) || writes.within(symbol, statement).length !== 1) return undefined;
  const [a, b] = [stepOf(incrementor, symbol, context), stepOf(last.expression, symbol, context)];
  if (a === undefined || b === undefined || a + b <= 0 || a < 0 || b < 0) return undefined;
  if (!ts.isBinaryExpression(condition) || condition.operatorToken.kind !== ts.SyntaxKind.LessThanToken) return undefined;
  // Skipping the last statement would make it another loop.
  if (readsOf(condition.right, (id) => types.symbol(id) === symbol).length > 0 || /\bcontinue\b/.test(statement.getText()))
    return undefined;
  const made = imported(context.file, 'range');
  const head = `for (const ${variable.name.getText()} of ${made.text}(${start}, ${condition.right.getText()}, ${a + b})) `;
  return fix('Rewrite with range', { start: node.getStart(), end: statement.getStart(), text: head }, remove(last), made.changes);
}
