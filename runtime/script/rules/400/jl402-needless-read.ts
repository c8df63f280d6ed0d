/** @file JL402: a value is read only to make a tensor of it again. In: `item()`. Out: a hint. */
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { itemOf } from '../../facts/reads.ts';
import { outermost, tensorCall } from '../../facts/uses.ts';
import { ts } from '../../typescript.ts';

export const needlessRead = defineRule({
  code: 'JL402',
  title: 'A needless read',
  severity: 'hint',
  doc: `
    \`await t.item()\` waits for the GPU and brings one number to the host. Where that number only goes back into an op, the tensor
    itself can go there.`,
  pytorch: '`.item()` synchronises in the same way.',
  on: 'AwaitExpression',
  check(node, context) {
    const { types } = context;
    const tensor = itemOf(node, types);
    const at = outermost(node);
    const { parent } = at;
    if (!tensor || !ts.isCallExpression(parent)) return;
    const whole = parent.arguments.length === 1 && types.ownName(parent.expression) === 'tensor';
    const wanted = types.checker.getContextualType(at);
    const accepted = tensorCall(parent, types) !== undefined && wanted !== undefined && types.mayBeTensor(wanted);
    if (!whole && !accepted) return;
    context.report(node, `‘${context.text(tensor)}’ is read only to rebuild a tensor`, {
      fixes: [fix('Keep the tensor', replace(whole ? parent : at, tensor.getText()))],
    });
  },
  bad: [
    `return x.div(await x.sum().item());
               //^^^^^^^^^^^^^^^^^^^^ JL402: ‘x.sum()’ is read only to rebuild a tensor`,
    `return tensor(await x.sum().item());
                //^^^^^^^^^^^^^^^^^^^^ JL402`,
  ],
  good: [
    `return x.div(x.sum());`,
    `const s = await x.sum().item();
    if (s > 1) throw new Error(\`\${s} is too much\`);
    return x;`,
  ],
});
