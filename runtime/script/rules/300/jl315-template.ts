/** @file JL315: a tensor in a template string. In: templates. Out: a report at the tensor, with its value read. */
import { defineRule } from '../../define.ts';
import { asyncAt, fix, operand, replace } from '../../edits.ts';

export const template = defineRule({
  code: 'JL315',
  title: 'A tensor in a template string',
  severity: 'error',
  doc: `
    The text of a tensor names its shape, not its values, and to put a value into a string it must be read first:
    \`\${await x.item()}\`. Numbers and strings may stand in the messages of errors and logs.`,
  on: 'TemplateExpression',
  check(node, context) {
    for (const { expression } of node.templateSpans) {
      if (!context.types.mayBeTensor(context.type(expression))) continue;
      const changes = context.isTensor(expression) ? asyncAt(node) : undefined;
      context.report(expression, `‘${context.text(expression)}’ is a Tensor; its value must be read to print it`, {
        fixes: [changes && fix('Read its value', changes, replace(expression, `await ${operand(expression)}.item()`))],
      });
    }
  },
  bad: [
    `if (n < 0) throw new Error(\`negative: \${x.sum()}\`);
                                          //^^^^^^^ JL315: ‘x.sum()’ is a Tensor; its value must be read to print it
    return x;`,
    `console.log(\`loss \${x}\`);
                      //^ JL315
    return x;`,
  ],
  good: [
    `if (n < 0) throw new Error(\`negative: \${n} of \${x.shape[0]}\`);
    return x;`,
    `console.log(\`loss \${await x.sum().item()}\`);
    return x;`,
  ],
});
