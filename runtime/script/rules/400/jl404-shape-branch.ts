/** @file JL404: a branch on a shape. In: conditions. Out: a hint; in traced code a warning that one arm is kept. */
import { defineRule } from '../../define.ts';
import { shapeRead } from '../../facts/dims.ts';
import { ts } from '../../typescript.ts';

export const shapeBranch = defineRule({
  code: 'JL404',
  title: 'A branch on a shape',
  severity: 'hint',
  traced: true,
  doc: `
    A condition on a shape is decided when the function is compiled, and guarded: a call with a shape on the other side compiles
    again. A trace keeps the arm that its inputs took, for their shapes. There is nothing to fix: each shape is looked at anew, and a
    dimension that is dynamic (by itself at its third size, or at once with \`jit.dynamic\`) compiles no kernels for another size of the
    same side. Where both arms are cheap, \`where\` on a tensor has no branch.`,
  pytorch: 'The tracer keeps one arm with a warning; the scripter keeps both.',
  on: ['IfStatement', 'ConditionalExpression'],
  check(node, context) {
    const condition = ts.isIfStatement(node) ? node.expression : node.condition;
    const read = shapeRead(condition, context);
    if (!read || (ts.isIfStatement(node) && throws(node.thenStatement))) return;
    if (context.running === 'traced') context.report(condition, 'the trace keeps only the arm that this shape takes');
    else context.report(condition, `compiles again when ${read.dim === undefined ? 'this' : `dim ${read.dim}`} changes sides`);
  },
  bad: [
    `if (x.size(1) > 3) return x;
      //^^^^^^^^^^^^^ JL404: compiles again when dim 1 changes sides
    return y;`,
    `export const f = jit.trace((x: Tensor) => (x.size(0) > 3 ? x : x.neg()), [rand([2])]);
                                             //^^^^^^^^^^^^^ JL404: the trace keeps only the arm that this shape takes`,
  ],
  good: [
    `return n > 3 ? x : y;`,
    `if (x.rank !== 2) throw new Error('a matrix is wanted');
    return x;`,
  ],
});

function throws(node: Parameters<typeof ts.isBlock>[0]): boolean {
  return ts.isThrowStatement(node) || (ts.isBlock(node) && node.statements.some(throws));
}
