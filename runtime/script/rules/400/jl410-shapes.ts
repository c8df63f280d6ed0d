/** @file JL410: shapes that cannot fit. In: products and sums of tensors of known shapes. Out: a report with the sizes. */
import { defineRule } from '../../define.ts';
import { fix, operand, replace } from '../../edits.ts';
import { broadcast, ELEMENTWISE, shapeOf } from '../../facts/shapes.ts';
import { tensorCall } from '../../facts/uses.ts';

const text = (shape: readonly number[]) => `[${shape.join(',')}]`;

export const shapes = defineRule({
  code: 'JL410',
  title: 'Shapes that do not fit',
  severity: 'error',
  doc: `
    Where the shapes of both sides are written in the code, a product whose inner sizes differ, or a sum that cannot be
    broadcast, is found without running it.`,
  pytorch: 'Found at run time.',
  on: 'CallExpression',
  check(node, context) {
    const { types } = context;
    const call = tensorCall(node, types);
    const [other] = node.arguments;
    if (!call || !other || (call.name !== 'matmul' && !ELEMENTWISE.has(call.name))) return;
    const [a, b] = [shapeOf(call.on, types), shapeOf(other, types)];
    if (!a || !b) return;
    if (call.name !== 'matmul') {
      if (!broadcast(a, b)) context.report(node, `${call.name} of ${text(a)} and ${text(b)}: they do not broadcast`);
      return;
    }
    const [inner, against] = [a.at(-1), b.length === 1 ? b[0] : b.at(-2)];
    if (a.length === 0 || b.length === 0 || inner === against) return;
    const turned = b.length === 2 && b[1] === inner;
    context.report(node, `matmul of ${text(a)} and ${text(b)}: ${inner ?? 0} ≠ ${against ?? 0}`, {
      fixes: [turned ? fix('Transpose the right side', replace(other, `${operand(other)}.transpose(-1, -2)`)) : undefined],
    });
  },
  bad: [
    `const a = zeros([2, 3]);
    const b = ones([2, 3]);
    return a.matmul(b);
         //^^^^^^^^^^^ JL410: matmul of [2,3] and [2,3]: 3 ≠ 2`,
    `return zeros([2, 3]).relu().add(tensor([1, 2]));
         //^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ JL410: add of [2,3] and [2]: they do not broadcast`,
  ],
  good: [
    `const a = zeros([2, 3]);
    return a.matmul(a.t()).add(ones([2, 1]));`,
    `return x.matmul(ones([2, 3])).add(y);`,
  ],
});
