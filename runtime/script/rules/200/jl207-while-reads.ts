/** @file JL207: a loop's condition reads a tensor. In: `while`, `do…while`. Out: a warning at the read. */
import type { Context, FoundFix } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, change, freeName, imported, indentOf, replace } from '../../edits.ts';
import { isHostRead } from '../../facts/reads.ts';
import { some } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

/** What the fix writes: turns at most, and the distance between two looks at the condition. */
const [MOST, EVERY] = [1000, 8];

export const whileReads = defineRule({
  code: 'JL207',
  title: 'A loop waits for the GPU on each turn',
  severity: 'warning',
  doc: `
    A condition that reads a tensor must wait, on each turn, until the GPU has computed it. Bound the loop with a \`range\` and
    look only every few turns: \`if (done) break\`. The quick fix does so, with ${MOST} turns at most and a look at every ${EVERY}th: up
    to ${EVERY - 1} turns more than before, which suits a loop that converges. There is none for a \`for\` with a step, nor for a
    \`do\` with \`continue\`: the look would stand where they jump over it.`,
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
    if (read && condition)
      context.report(condition, `each turn waits for the GPU to read ‘${context.text(read)}’`, {
        fixes: [bounded(node, context)],
      });
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
    `let z = x;
    while ((await z.sum().item()) > 1) {
         //^^^^^^^^^^^^^^^^^^^^^^^^^^ JL207
      z = z.mul(0.5);
    }
    do {
      z = z.mul(0.5);
    } while ((await z.amax().item()) > 1);
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

function bounded(node: TS.WhileStatement | TS.DoStatement | TS.ForStatement, { file }: Context): FoundFix | undefined {
  const { statement } = node;
  const isDo = ts.isDoStatement(node);
  if (ts.isForStatement(node) || ts.isLabeledStatement(node.parent) || (isDo && some(statement, ts.isContinueStatement)))
    return undefined;
  const turn = freeName(node, 'turn');
  const range = imported(file, 'range');
  const head = `for (const ${turn} of ${range.text}(${MOST})) `;
  const look = `if (${turn} % ${EVERY} === ${isDo ? EVERY - 1 : 0} && !(${node.expression.getText()})) break;`;
  const title = `Bound it: ${MOST} turns at most, a look at every ${EVERY}th`;
  const indent = indentOf(node);
  if (!ts.isBlock(statement)) {
    const lines = isDo ? [statement.getText(), look] : [look, statement.getText()];
    return change(title, replace(node, `${head}{\n${lines.map((l) => `${indent}  ${l}\n`).join('')}${indent}}`), range.changes);
  }
  const first = { start: node.getStart(), end: statement.getStart(), text: head };
  if (!isDo) return change(title, first, after(statement.getFirstToken() ?? statement, `\n${indent}  ${look}`), range.changes);
  const close = statement.getLastToken() ?? statement;
  return change(
    title,
    first,
    before(close, `  ${look}\n${indent}`),
    { start: statement.end, end: node.end, text: '' },
    range.changes,
  );
}
