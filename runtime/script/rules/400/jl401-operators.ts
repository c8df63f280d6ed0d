/** @file JL401: an arithmetic or relational operator on a tensor, in any code. In: operators. Out: a report, with the method. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, imported, operand, replace } from '../../edits.ts';
import { isArithmetic, isBitwise } from '../../facts/uses.ts';
import { isStep } from '../../facts/writes.ts';
import { signOf } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const METHODS: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'remainder',
  '**': 'pow',
  '<': 'lt',
  '>': 'gt',
  '<=': 'le',
  '>=': 'ge',
};
/** What holds when the sides are swapped. */
const SWAPPED: Readonly<Record<string, string>> = { '+': 'add', '*': 'mul', '<': 'gt', '>': 'lt', '<=': 'ge', '>=': 'le' };

export const operators = defineRule({
  code: 'JL401',
  title: 'An operator on a tensor',
  severity: 'error',
  everywhere: true,
  doc: `
    JavaScript has no operator overloading: \`a + b\` on tensors joins texts or throws, and never adds elements; \`a < b\` and \`-a\`
    likewise, and TypeScript does not complain about all of them. Use methods: \`a.add(b)\`, \`a.lt(b)\`, \`a.neg()\`.`,
  pytorch: 'Operators work on tensors there.',
  on: ['BinaryExpression', 'PrefixUnaryExpression', 'PostfixUnaryExpression'],
  check(node, context) {
    const { types } = context;
    if (ts.isBinaryExpression(node)) {
      const sign = signOf(node);
      if (!isArithmetic(sign) && !isBitwise(sign) && !/^(%|\*\*)=$/.test(sign)) return;
      const [left, right] = [types.mayBeTensor(context.type(node.left)), types.mayBeTensor(context.type(node.right))];
      if (left || right)
        context.report(node, `‘${context.text(node)}’ on tensors is not element-wise`, { fixes: [method(node, sign, context)] });
      return;
    }
    if (node.operator === ts.SyntaxKind.ExclamationToken || !types.mayBeTensor(context.type(node.operand))) return;
    const target = operand(node.operand);
    const step = node.operator === ts.SyntaxKind.PlusPlusToken ? 'add' : 'sub';
    const stepped = isStep(node) && ts.isExpressionStatement(node.parent);
    const negated = node.operator === ts.SyntaxKind.MinusToken;
    context.report(node, `‘${context.text(node)}’ on a tensor is not element-wise`, {
      fixes: [
        negated ? fix('Use neg()', replace(node, `${target}.neg()`)) : undefined,
        stepped ? fix(`Use ${step}(1)`, replace(node, `${target} = ${target}.${step}(1)`)) : undefined,
      ],
    });
  },
  bad: [
    `return (x as any) + y;
         //^^^^^^^^^^^^^^ JL401: ‘(x as any) + y’ on tensors is not element-wise`,
    `import { type Tensor } from 'jitlens';
    export const less = (a: Tensor, b: Tensor): boolean => a < b;
                                                         //^^^^^ JL401`,
    `import { rand } from 'jitlens';
    const t = rand([2]);
    export const negative = -t;
                          //^^ JL401: ‘-t’ on a tensor is not element-wise`,
    `import { rand } from 'jitlens';
    let t = rand([2]);
    export const text = 'sum ' + t;
                      //^^^^^^^^^^ JL401`,
  ],
  good: [
    `return x.add(y).mul(n * 2 + 1);`,
    `import { rand } from 'jitlens';
    const t = rand([2]);
    export const half = (await t.sum().item()) / 2 < t.shape.length;`,
  ],
});

function method(node: TS.BinaryExpression, given: string, context: Context) {
  const { types } = context;
  const compound = given.endsWith('=') && !(given in METHODS);
  const sign = compound ? given.slice(0, -1) : given;
  const name = METHODS[sign];
  const [left, right] = [node.left, node.right];
  const takes = (side: TS.Expression) => types.isTensor(context.type(side)) || types.kind(context.type(side)) === 'number';
  const wanted = types.checker.getContextualType(node);
  // A function that promises a boolean would have to read it.
  if (wanted && types.kinds(wanted).join() === 'boolean') return undefined;
  if (name === undefined || !takes(left) || !takes(right)) return undefined;
  const inner = (e: TS.Expression) => (ts.isParenthesizedExpression(e) ? e.expression : e).getText();
  if (types.isTensor(context.type(left))) {
    const call = `${operand(left)}.${name}(${inner(right)})`;
    return fix(`Use ${name}()`, replace(node, compound ? `${left.getText()} = ${call}` : call));
  }
  if (compound) return undefined;
  const other = SWAPPED[sign];
  if (other !== undefined) return fix(`Use ${other}()`, replace(node, `${operand(right)}.${other}(${inner(left)})`));
  const made = imported(context.file, 'tensor');
  return fix(`Use ${name}()`, replace(node, `${made.text}(${inner(left)}).${name}(${inner(right)})`), made.changes);
}
