/** @file JL213: a labelled jump. In: `break` and `continue`. Out: a report at the label. */
import { defineRule } from '../../define.ts';
import { fix, remove } from '../../edits.ts';
import { loopsAround } from '../../facts/flow.ts';
import { some } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const labels = defineRule({
  code: 'JL213',
  title: 'A labelled jump',
  severity: 'error',
  doc: `
    \`break\` and \`continue\` leave the loop that they stand in, which a compiled loop does by a flag. With a label they cross
    several loops at once. Put the inner loop into a function of its own, and return from it.`,
  pytorch: 'Python has no labels.',
  on: ['BreakStatement', 'ContinueStatement'],
  check(node, context) {
    if (!node.label) return;
    context.report(node.label, 'labelled jumps cross loop regions', { fixes: [plain(node)] });
  },
  bad: [
    `let z = x;
    outer: for (const i of range(n)) {
      for (const j of range(n)) {
        z = z.add(i);
        if (j > 2) continue outer;
                          //^^^^^ JL213: labelled jumps cross loop regions
      }
    }
    return z;`,
    `let z = x;
    turns: for (const i of range(n)) {
      z = z.add(i);
      if (i > 2) break turns;
                     //^^^^^ JL213
    }
    return z;`,
  ],
  good: [
    `let z = x;
    for (const i of range(n)) {
      if (i === 1) continue;
      z = z.add(i);
      if (i > 2) break;
    }
    return z;`,
    `let z = x;
    for (const i of range(n)) {
      for (const j of range(n)) {
        if (j > i) break;
        z = z.add(j);
      }
    }
    return z;`,
  ],
});

/** Without the label, where the label is the innermost loop's. */
function plain(node: TS.BreakStatement | TS.ContinueStatement) {
  const { label } = node;
  const labelled = loopsAround(node, node.getSourceFile())[0]?.parent;
  if (!label || !labelled || !ts.isLabeledStatement(labelled) || labelled.label.text !== label.text) return undefined;
  const others = some(
    labelled.statement,
    (at) => (ts.isBreakStatement(at) || ts.isContinueStatement(at)) && at !== node && at.label?.text === label.text,
  );
  const word = ts.isBreakStatement(node) ? 'break' : 'continue';
  const drop = { start: node.getStart() + word.length, end: label.end, text: '' };
  return fix(
    'Leave the label out',
    drop,
    others ? [] : { ...remove(labelled.label), start: labelled.getStart(), end: labelled.statement.getStart() },
  );
}
