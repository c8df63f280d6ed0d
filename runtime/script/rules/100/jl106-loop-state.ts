/** @file JL106: a variable changes its type or rank from turn to turn. In: an assignment within a loop. Out: a report, with what it was before. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, imported, replace } from '../../edits.ts';
import { loopsAround } from '../../facts/flow.ts';
import { bare } from '../../facts/functions.ts';
import { tensorCall } from '../../facts/uses.ts';
import { variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';
import { hasOneKind, kindOf, name } from './jl104-branches.ts';

export const loopState = defineRule({
  code: 'JL106',
  title: 'A loop changes the type of a variable',
  severity: 'error',
  doc: `
    What a loop carries from one turn to the next has one type and one rank. A sum that starts as the number 0 and goes on as
    a Tensor has two. Start with a tensor: \`tensor(0)\`, or \`zeros\` of the right shape.`,
  pytorch: '“Variable y previously had type int but is now being assigned to a value of type Tensor.”',
  on: 'BinaryExpression',
  check(node, context) {
    const { types, writes, unit } = context;
    if (node.operatorToken.kind !== ts.SyntaxKind.EqualsToken || !ts.isIdentifier(node.left) || !unit) return;
    const symbol = types.symbol(node.left);
    const declaration = variableOf(symbol);
    const loop = loopsAround(node, unit).findLast((l) => declaration && (declaration.pos < l.pos || declaration.pos > l.end));
    if (!loop || !symbol || !declaration || context.isOuter(symbol)) return;
    const label = node.left.text;
    if (ranks(node.right, symbol, context)) {
      context.report(node.left, `‘${label}’ enters the loop with one rank and leaves with another`);
      return;
    }
    if (hasOneKind(types.ofVariable(symbol), context)) return;
    const start = ts.isVariableDeclaration(declaration) ? declaration.initializer : undefined;
    const earlier = writes.of(symbol).findLast((w) => w.value !== undefined && w.node.end <= loop.pos)?.value ?? start;
    if (!earlier || !context.once(symbol)) return;
    const [was, is] = [kindOf(earlier, context), kindOf(node.right, context)];
    if (was === undefined || is === undefined || was === is) return;
    context.report(
      node.left,
      `‘${label}’ enters the loop as ${name(earlier, context)} and leaves as ${name(node.right, context)}`,
      {
        related: [{ message: `${name(earlier, context)} here`, node: earlier }],
        fixes: [was === 'number' && is === 'tensor' ? startWithTensor(earlier, declaration, context) : undefined],
      },
    );
  },
  bad: [
    `let z: Tensor | number = 0;
    for (const i of range(n)) z = x.add(z).mul(i);
                            //^ JL106: ‘z’ enters the loop as number and leaves as Tensor
    return x;`,
    `let z = x;
    for (const i of range(n)) {
      z = z.unsqueeze(0);
    //^ JL106: ‘z’ enters the loop with one rank and leaves with another
    }
    return z;`,
  ],
  good: [
    `let z = tensor(0);
    for (const i of range(n)) z = x.add(z).mul(i);
    return z;`,
    `let total = 0;
    for (const i of range(n)) total = total + i;
    return x.mul(total);`,
    `let z = x;
    for (const i of range(n)) z = z.unsqueeze(0).squeeze(0);
    return z;`,
  ],
});

/** `z = z.unsqueeze(0)`: a rank that grows or shrinks each turn. */
function ranks(value: TS.Expression, symbol: TS.Symbol, { types }: Context): boolean {
  const call = tensorCall(bare(value), types);
  if (call) return ['unsqueeze', 'squeeze', 'select', 'unfold'].includes(call.name) && types.symbol(call.on) === symbol;
  const at = bare(value);
  if (!ts.isCallExpression(at) || types.ownName(at.expression) !== 'stack') return false;
  const [list] = at.arguments;
  return list !== undefined && ts.isArrayLiteralExpression(list) && list.elements.some((e) => types.symbol(e) === symbol);
}

function startWithTensor(value: TS.Expression, declaration: TS.Node, context: Context) {
  const made = imported(context.file, 'tensor');
  const type = ts.isVariableDeclaration(declaration) ? declaration.type : undefined;
  const tensor = type && imported(context.file, 'Tensor', true);
  return fix(
    `Start with ${made.text}(${context.text(value)})`,
    type && tensor ? [replace(type, tensor.text)] : [],
    replace(value, `${made.text}(${value.getText()})`),
    made.changes.length > 0 ? made.changes : (tensor?.changes ?? []),
  );
}
