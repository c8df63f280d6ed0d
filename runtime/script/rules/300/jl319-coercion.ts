/** @file JL319: operators that convert their operands. In: `==`, `!=` and bit operators. Out: a report. */
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { fractionIn } from '../../facts/numbers.ts';
import { isBitwise } from '../../facts/uses.ts';
import { signOf } from '../../facts/words.ts';

export const coercion = defineRule({
  code: 'JL319',
  title: 'An operator that converts its operands',
  severity: 'error',
  doc: `
    \`==\` between different types converts one of them by rules that a graph does not have; use \`===\`. Bit operators cut numbers
    to 32 bits, so their operands must be whole. \`x == null\` is allowed: it asks for \`undefined\` and \`null\` alike.`,
  on: 'BinaryExpression',
  check(node, context) {
    const { types } = context;
    const sign = signOf(node);
    if (sign !== '==' && sign !== '!=' && !isBitwise(sign)) return;
    const [a, b] = [context.type(node.left), context.type(node.right)];
    if (types.mayBeTensor(a) || types.mayBeTensor(b)) return;
    if (sign === '==' || sign === '!=') {
      const [left, right] = [types.kinds(a), types.kinds(b)];
      if (left.length === 0 || right.length === 0) return;
      const same = left.length === 1 && right.length === 1 && left[0] === right[0] && left[0] !== 'any';
      if (same) return;
      context.report(node, `‘${context.text(node)}’ converts one side to the type of the other`, {
        fixes: [fix(`Use ${sign}=`, replace(node.operatorToken, `${sign}=`))],
      });
    } else {
      const part = [node.left, node.right].find((side) => fractionIn(side, types));
      if (part)
        context.report(part, `‘${context.text(part)}’ may not be an integer of 32 bits`, {
          fixes: [fix('Use Math.trunc', replace(part, `Math.trunc(${part.getText()})`))],
        });
    }
  },
  bad: [
    `const loose = (k: number | string) => (k == 2 ? x : y);
                                         //^^^^^^ JL319: ‘k == 2’ converts one side to the type of the other
    return loose(n);`,
    `return x.mul((n / 2) | 0);
               //^^^^^^^ JL319: ‘(n / 2)’ may not be an integer of 32 bits`,
  ],
  good: [
    `const strict = (k: number | string) => (k === 2 ? x : y);
    return strict(n);`,
    `const there = (k?: number) => (k == null ? x : x.mul(k & 3));
    return there(n);`,
  ],
});
