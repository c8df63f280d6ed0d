/** @file JL215: a case falls into the next. In: clauses of a `switch`. Out: a report at the label. */
import { defineRule } from '../../define.ts';
import { after, fix, indentOf } from '../../edits.ts';
import { leaves } from '../../facts/flow.ts';
import { ts, type TS } from '../../typescript.ts';

export const fallThrough = defineRule({
  code: 'JL215',
  title: 'A case falls into the next',
  severity: 'error',
  doc: `
    A \`switch\` on numbers, strings or enums is a chain of \`if\`s, so each case must end: with \`break\`, \`return\`, \`continue\`
    or \`throw\`. Several labels for the same statements are fine.`,
  pytorch: 'Python’s `match` has no fall-through, and TorchScript has no `match`.',
  on: ['CaseClause', 'DefaultClause'],
  check(node, context) {
    const { clauses } = node.parent;
    const next = clauses[clauses.indexOf(node) + 1];
    const last = node.statements.at(-1);
    if (!next || !last || node.statements.some(leaves)) return;
    const at = ts.isCaseClause(node) ? node.expression : { start: node.getStart(), end: node.getStart() + 'default'.length };
    context.report(at, `${label(node)} falls into ${label(next)}`, {
      related: [{ message: 'and goes on here', node: next }],
      fixes: [fix('Add break', after(last, `\n${indentOf(last)}break;`))],
    });
  },
  bad: [
    `let z = x;
    switch (n) {
      case 1:
         //^ JL215: case 1 falls into case 2
        z = z.add(1);
      case 2:
        z = z.mul(2);
        break;
    }
    return z;`,
    `let z = x;
    switch (n) {
      default:
    //^^^^^^^ JL215: default falls into case 2
        z = z.add(1);
      case 2:
        z = z.mul(2);
    }
    return z;`,
  ],
  good: [
    `let z = x;
    switch (n) {
      case 1:
      case 2:
        z = z.add(1);
        break;
      case 3: {
        return y;
      }
      default:
        z = z.mul(2);
    }
    return z;`,
    `switch (n) {
      case 1:
        throw new Error('one is too few');
      default:
        return x;
    }`,
  ],
});

function label(clause: TS.CaseOrDefaultClause): string {
  return ts.isCaseClause(clause) ? `case ${clause.expression.getText()}` : 'default';
}
