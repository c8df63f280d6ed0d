/** @file JL405: a loop whose count is a size. In: `for…of`. Out: a hint; in traced code a warning. */
import { defineRule } from '../../define.ts';
import { shapeRead } from '../../facts/dims.ts';
import { bare } from '../../facts/functions.ts';
import { isCut } from '../../facts/loops.ts';
import { isRange } from '../../facts/uses.ts';

export const shapeLoop = defineRule({
  code: 'JL405',
  title: 'A loop over a size',
  severity: 'hint',
  traced: true,
  doc: `
    A loop that turns once for each row has the count of the first call, guarded: another size compiles again. Where the count
    comes in as a parameter, it is a loop. A trace writes out the turns that its inputs had. There is no quick fix: whether all rows can be
    computed by one op, as \`sum\` over a dimension does, only the loop's meaning tells.`,
  pytorch: 'The tracer writes the turns out silently, and sums 4 rows of 8 when it was traced with 4.',
  on: 'ForOfStatement',
  check(node, context) {
    const expression = bare(node.expression);
    const counted = isRange(expression, context.types) && shapeRead(expression, context) !== undefined;
    if (!counted && !(isCut(expression, context.types) && /\.unbind\(/.test(expression.getText()))) return;
    context.report(
      expression,
      context.running === 'traced'
        ? 'the trace writes out as many turns as this size'
        : 'unrolled for this size; another one compiles again',
    );
  },
  bad: [
    `let z = y;
    for (const i of range(x.size(0))) z = z.add(x.select(0, i));
                  //^^^^^^^^^^^^^^^^ JL405: unrolled for this size; another one compiles again
    return z;`,
    `export const f = jit.trace((x: Tensor) => {
      let z = x.sum();
      for (const row of x.unbind()) z = z.add(row.sum());
                      //^^^^^^^^^^ JL405: the trace writes out as many turns as this size
      return z;
    }, [rand([2, 2])]);`,
  ],
  good: [
    `let z = x;
    for (const i of range(n)) z = z.add(i);
    return z;`,
    `let z = x;
    for (const part of y.chunk(2)) z = z.add(part.sum());
    return z;`,
  ],
});
