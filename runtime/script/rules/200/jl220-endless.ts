/** @file JL220: a loop that nothing leaves. In: loops without a condition that can fail. Out: a report at their head. */
import { defineRule } from '../../define.ts';
import { exits } from '../../facts/flow.ts';
import { bare } from '../../facts/functions.ts';
import { ts } from '../../typescript.ts';

export const endless = defineRule({
  code: 'JL220',
  title: 'A loop that never ends',
  severity: 'error',
  doc: 'A `while (true)` needs a `break`, a `return` or a `throw`: a graph that never ends hangs the GPU.',
  on: ['WhileStatement', 'DoStatement', 'ForStatement'],
  check(node, context) {
    const condition = ts.isForStatement(node) ? node.condition : node.expression;
    const forever = condition === undefined || isTrue(condition);
    const { breaks, returns } = exits(node);
    if (!forever || breaks || returns) return;
    const head = {
      start: node.getStart(),
      end: node.getStart() + (ts.isForStatement(node) ? 'for' : ts.isDoStatement(node) ? 'do' : 'while').length,
    };
    context.report(condition ?? head, 'loop has no break or return');
  },
  bad: [
    `let z = x;
    while (true) {
         //^^^^ JL220: loop has no break or return
      z = z.add(1);
    }`,
    `let z = x;
    for (;;) {
  //^^^ JL220
      for (const i of range(n)) {
        if (i > 1) break;
        z = z.add(i);
      }
    }`,
  ],
  good: [
    `let i = 0;
    while (true) {
      i += 1;
      if (i > n) break;
    }
    return x.mul(i);`,
    `let z = x;
    for (;;) {
      z = z.mul(2);
      if ((await z.sum().item()) > 8) return z;
    }`,
  ],
});

function isTrue(node: Parameters<typeof bare>[0]): boolean {
  const at = bare(node);
  return at.kind === ts.SyntaxKind.TrueKeyword || (ts.isNumericLiteral(at) && at.text !== '0');
}
