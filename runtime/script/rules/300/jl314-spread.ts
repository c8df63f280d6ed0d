/** @file JL314: a list of unknown length is spread into a call. In: `f(...list)`. Out: a report. */
import { defineRule } from '../../define.ts';
import { ts } from '../../typescript.ts';

export const spread = defineRule({
  code: 'JL314',
  title: 'A list is spread into a call',
  severity: 'error',
  doc: `
    How many arguments a call has must be known when it is compiled. A tuple says it; a \`T[]\` does not. Pass the array itself.`,
  pytorch: '“Starred argument” is refused but for tuples.',
  on: 'SpreadElement',
  check(node, context) {
    const { parent } = node;
    if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return;
    const type = context.type(node.expression);
    if (context.types.checker.isTupleType(type) || context.types.isAny(type)) return;
    // Pushing a list is joining two lists.
    const { expression } = parent;
    if (ts.isPropertyAccessExpression(expression) && ['push', 'unshift', 'concat'].includes(expression.name.text)) return;
    context.report(node, 'number of arguments unknown');
  },
  bad: [
    `const ns = [n, 2, 3];
    return x.mul(Math.max(...ns));
                        //^^^^^ JL314: number of arguments unknown`,
    `const sum = (...parts: Tensor[]) => parts.reduce((a, b) => a.add(b));
    return sum(...x.unbind());
             //^^^^^^^^^^^^^ JL314`,
  ],
  good: [
    `const pair = [x, y] as const;
    const sum = (a: Tensor, b: Tensor) => a.add(b);
    return sum(...pair);`,
    `const shape = [...x.shape, 1];
    return x.view(shape);`,
  ],
});
