/** @file JL203b: a loop over what cannot change. In: `for…of`. Out: a hint with the number of turns, where it is written out. */
import { defineRule } from '../../define.ts';
import { isUnrolled, tupleLength } from '../../facts/loops.ts';

export const fixedLength = defineRule({
  code: 'JL203b',
  title: 'Loops over what cannot change',
  severity: 'hint',
  doc: `
    A \`readonly\` array, a tuple, a \`ModuleList\`, and the lists that \`unbind\`, \`split\` and \`chunk\` give have one length for
    the whole loop. It is written out where that length is known, and is a loop where it is not.`,
  on: 'ForOfStatement',
  check(loop, context) {
    const { expression } = loop;
    const count = tupleLength(context.type(expression), context.types);
    if (count !== undefined && isUnrolled(count, loop)) context.report(expression, `unrolled ×${count}`);
  },
  bad: [
    `let z = x;
    for (const k of [0, 1, 2] as const) z = z.add(k);
                  //^^^^^^^^^^^^^^^^^^ JL203b: unrolled ×3
    return z;`,
    `const sum = (parts: [Tensor, Tensor]) => {
      let z = x;
      for (const part of parts) z = z.add(part);
                       //^^^^^ JL203b: unrolled ×2
      return z;
    };
    return sum([x, y]);`,
  ],
  good: [
    `let z = x;
    for (const row of y.unbind()) z = z.add(row);
    return z;`,
    `const sum = (parts: readonly Tensor[]) => {
      let z = x;
      for (const part of parts) z = z.add(part);
      return z;
    };
    return sum([x, y]);`,
  ],
});
