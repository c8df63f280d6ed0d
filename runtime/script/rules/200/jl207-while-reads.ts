/** @file JL207: a loop's condition reads a tensor. In: `while`, `do…while`. Out: a warning at the read. */
import { defineRule } from '../../define.ts';
import { isHostRead } from '../../facts/reads.ts';
import { some } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const whileReads = defineRule({
  code: 'JL207',
  title: 'A loop waits for the GPU on each turn',
  severity: 'warning',
  doc: `
    A condition that reads a tensor must wait, on each turn, until the GPU has computed it. Bound the loop with a \`range\` and
    look only every few turns: \`if (done) break\`.`,
  pytorch: 'The same happens there with CUDA tensors, silently.',
  on: ['WhileStatement', 'DoStatement', 'ForStatement'],
  check(node, context) {
    const condition = ts.isForStatement(node) ? node.condition : node.expression;
    let read: TS.Expression | undefined;
    if (condition) {
      some(condition, (at) => {
        if (ts.isCallExpression(at) && isHostRead(at, context.types))
          read = (at.expression as TS.PropertyAccessExpression).expression;
        return read !== undefined;
      });
    }
    if (read && condition) context.report(condition, `each turn waits for the GPU to read ‘${context.text(read)}’`);
  },
  bad: [
    `let z = x;
    while ((await z.sum().item()) > 1) z = z.mul(0.5);
         //^^^^^^^^^^^^^^^^^^^^^^^^^^ JL207: each turn waits for the GPU to read ‘z.sum()’
    return z;`,
    `let z = x;
    do z = z.mul(0.5); while ((await z.amax().item()) > 1);
                            //^^^^^^^^^^^^^^^^^^^^^^^^^^^ JL207
    return z;`,
  ],
  good: [
    `let z = x;
    let i = 0;
    while (i < n) {
      z = z.mul(0.5);
      i += 1;
    }
    return z;`,
    `let z = x;
    for (const i of range(20)) z = z.mul(0.5);
    return z;`,
  ],
});
