/** @file JL210: an `if` on a tensor's value. In: an `if`. Out: a hint that it waits, with `where` where both arms are cheap and pure. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, operand, replace } from '../../edits.ts';
import { bare, some } from '../../facts/functions.ts';
import { isHostRead, itemOf } from '../../facts/reads.ts';
import { tensorCall } from '../../facts/uses.ts';
import { signOf } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const METHODS: Readonly<Record<string, string>> = { '>': 'gt', '<': 'lt', '>=': 'ge', '<=': 'le', '===': 'eq', '!==': 'ne' };

export const branchRead = defineRule({
  code: 'JL210',
  title: 'A branch reads the GPU',
  severity: 'hint',
  doc: `
    \`if ((await x.sum().item()) > 0)\` is real control flow: the arm that is not taken costs nothing, but the run waits for the
    value. Where both arms are cheap and have no effects, \`condition.where(a, b)\` computes both and waits for nothing.`,
  pytorch: 'The same: `.item()` synchronises, `torch.where` does not.',
  on: ['IfStatement', 'ConditionalExpression'],
  check(node, context) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    if (!some(condition, (at) => ts.isCallExpression(at) && isHostRead(at, context.types))) return;
    context.report(condition, 'branch needs a GPU read; `where` would not', { fixes: [select(node, condition, context)] });
  },
  bad: [
    `let z = y;
    if ((await x.sum().item()) > 0) z = x;
      //^^^^^^^^^^^^^^^^^^^^^^^^^^ JL210: branch needs a GPU read; \`where\` would not
    else z = y.neg();
    return z;`,
    `return (await x.sum().item()) > 0 ? x : y;
         //^^^^^^^^^^^^^^^^^^^^^^^^^^ JL210`,
  ],
  good: [`return x.sum().gt(0).where(x, y);`, `return n > 0 ? x : y;`],
});

function select(node: TS.IfStatement | TS.ConditionalExpression, condition: TS.Expression, context: Context) {
  const question = asTensor(condition, context);
  if (question === undefined) return undefined;
  if (ts.isConditionalExpression(node)) {
    if (![node.whenTrue, node.whenFalse].every((arm) => isPure(arm, context))) return undefined;
    return fix('Use where()', replace(node, `${question}.where(${node.whenTrue.getText()}, ${node.whenFalse.getText()})`));
  }
  const [yes, no] = [assignment(node.thenStatement), node.elseStatement && assignment(node.elseStatement)];
  if (!yes || !no || yes.left.getText() !== no.left.getText() || ![yes.right, no.right].every((arm) => isPure(arm, context)))
    return undefined;
  return fix(
    'Use where()',
    replace(node, `${yes.left.getText()} = ${question}.where(${yes.right.getText()}, ${no.right.getText()});`),
  );
}

/** `x.sum().gt(0)` for `(await x.sum().item()) > 0`. */
function asTensor(condition: TS.Expression, { types }: Context): string | undefined {
  const at = bare(condition);
  if (!ts.isBinaryExpression(at)) return undefined;
  const tensor = itemOf(at.left, types);
  const method = METHODS[signOf(at)];
  if (!tensor || method === undefined || types.kind(types.of(at.right)) !== 'number') return undefined;
  const boolean =
    method === 'ne' &&
    at.right.getText() === '0' &&
    ['gt', 'lt', 'ge', 'le', 'eq', 'ne', 'any', 'all'].includes(tensorCall(tensor, types)?.name ?? '');
  return boolean ? operand(tensor) : `${operand(tensor)}.${method}(${at.right.getText()})`;
}

function assignment(statement: TS.Statement): TS.BinaryExpression | undefined {
  const only = ts.isBlock(statement) ? statement.statements.length === 1 && statement.statements[0] : statement;
  if (!only || !ts.isExpressionStatement(only) || !ts.isBinaryExpression(only.expression)) return undefined;
  const { expression } = only;
  return expression.operatorToken.kind === ts.SyntaxKind.EqualsToken && ts.isIdentifier(expression.left) ? expression : undefined;
}

/** A tensor made by ops alone, none of them in place. */
function isPure(arm: TS.Expression, { types }: Context): boolean {
  if (!types.isTensor(types.of(arm))) return false;
  return !some(arm, (at) => {
    if (ts.isAwaitExpression(at) || ts.isNewExpression(at)) return true;
    if (!ts.isCallExpression(at)) return false;
    const call = tensorCall(at, types);
    return !call || call.name.endsWith('_') || call.name === 'copy' || call.name === 'backward';
  });
}
