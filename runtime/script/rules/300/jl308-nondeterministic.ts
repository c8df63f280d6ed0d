/** @file JL308: a value that differs every run. In: calls of the host's clocks and dice. Out: a report. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, imported, replace } from '../../edits.ts';
import { outermost } from '../../facts/uses.ts';
import { dottedName, firstWord } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const NAMES = new Set(['Math.random', 'Date.now', 'performance.now', 'process.hrtime', 'process.hrtime.bigint']);

export const nondeterministic = defineRule({
  code: 'JL308',
  title: 'A value that differs every run',
  severity: 'error',
  traced: true,
  doc: `
    \`Math.random()\` and the clock give another value each time, but a graph would keep the one that it saw when it was compiled.
    Draw random numbers with \`rand\`, \`randn\` or \`randint\`, which draw anew in every run, or pass the value in.`,
  pytorch: 'The tracer keeps the value silently; the scripter refuses the call.',
  on: 'CallExpression',
  check(node, context) {
    const callee = node.expression;
    if (!ts.isPropertyAccessExpression(callee)) return;
    const name = dottedName(callee) ?? '';
    const crypto = firstWord(callee) === 'crypto' && /^crypto\./.test(callee.getText());
    if (!NAMES.has(name) && !crypto) return;
    const symbol = context.types.symbol(callee.name);
    if (symbol && !context.types.isHost(symbol)) return;
    context.report(node, 'this value differs every run', { fixes: [name === 'Math.random' ? drawn(node, context) : undefined] });
  },
  bad: [
    `return x.mul(Math.random());
               //^^^^^^^^^^^^^ JL308: this value differs every run`,
    `const start = Date.now();
                //^^^^^^^^^^ JL308
    return x.mul(start);`,
  ],
  good: [
    `return x.mul(rand([1]));`,
    `const random = () => 4;
    return x.mul(random());`,
  ],
});

/** `rand([])`, where a tensor will do. */
function drawn(node: TS.CallExpression, { types, file }: Context) {
  const wanted = types.checker.getContextualType(outermost(node));
  if (!wanted || !types.mayBeTensor(wanted)) return undefined;
  const made = imported(file, 'rand');
  return fix(`Draw it with ${made.text}([])`, replace(node, `${made.text}([])`), made.changes);
}
