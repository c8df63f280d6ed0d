/** @file JL211: the sides of a ternary have different types. In: `a ? b : c`. Out: a report at the second side. */
import { defineRule } from '../../define.ts';
import { isCondition } from '../../facts/uses.ts';
import { ts } from '../../typescript.ts';
import { kindOf, name, wrap } from '../100/jl104-branches.ts';

export const ternary = defineRule({
  code: 'JL211',
  title: 'A ternary of two types',
  severity: 'error',
  doc: `
    A ternary is an \`if\` with one output, so both sides must have one type: two tensors, or two numbers. Make a tensor of the
    number, or take the ternary out of the argument.`,
  pytorch: '“Type mismatch in ternary if.”',
  on: 'ConditionalExpression',
  check(node, context) {
    const { whenTrue, whenFalse, parent } = node;
    if (isCondition(node) || ts.isExpressionStatement(parent)) return;
    const kinds = [kindOf(whenTrue, context), kindOf(whenFalse, context)];
    const [a, b] = kinds;
    if (a === undefined || b === undefined || a === b) return;
    context.report(
      whenFalse,
      `this is ${name(whenTrue, context)} at line ${context.line(whenTrue)} but ${name(whenFalse, context)} at line ${context.line(whenFalse)}`,
      {
        related: [{ message: `${name(whenTrue, context)} here`, node: whenTrue }],
        fixes: [wrap(a === 'number' ? whenTrue : whenFalse, [a, b], context)],
      },
    );
  },
  bad: [
    `const r = n > 1 ? x : 4;
                        //^ JL211: this is Tensor at line 3 but number at line 3
    return x;`,
    `return x.add(n > 1 ? 2 : y);
                           //^ JL211: this is number at line 3 but Tensor`,
  ],
  good: [
    `const r = n > 1 ? x : y;
    return r.mul(n > 1 ? 2 : 3);`,
    `const bias = n > 1 ? x : undefined;
    return bias === undefined ? y : bias;`,
  ],
});
