/** @file JL201: a loop over a range of known length. In: `for…of`. Out: a hint, where it is short enough to be written out. */
import { defineRule } from '../../define.ts';
import { rangeCount } from '../../facts/numbers.ts';
import { isRange } from '../../facts/uses.ts';
import { isUnrolled } from '../../facts/loops.ts';

export const rangeLoop = defineRule({
  code: 'JL201',
  title: 'Loops over a range',
  severity: 'hint',
  doc: `
    \`for (const i of range(n))\` is compiled to a loop. Where the count is known and small (below 64 turns, and few ops in
    the body), the turns are written out one after the other, which lets them be fused.`,
  pytorch: 'The same, with the same limits.',
  on: 'ForOfStatement',
  check(node, context) {
    const { expression } = node;
    if (!isRange(expression, context.types)) return;
    const count = rangeCount(expression, context.types);
    if (count !== undefined && isUnrolled(count, node)) context.report(expression, `unrolled ×${count}`);
  },
  bad: [
    `let z = x;
    for (const i of range(0, 5)) z = z.add(i);
                  //^^^^^^^^^^^ JL201: unrolled ×5
    return z;`,
    `let z = x;
    for (const i of range(10, 0, -2)) z = z.add(i);
                  //^^^^^^^^^^^^^^^^ JL201: unrolled ×5
    return z;`,
  ],
  good: [
    `let z = x;
    for (const i of range(n)) z = z.add(i);
    return z;`,
    `let z = x;
    for (const i of range(1000)) z = z.add(i);
    return z;`,
  ],
});
