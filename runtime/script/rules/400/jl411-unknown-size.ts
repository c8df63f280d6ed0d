/** @file JL411: an op whose result has a size that its values decide. In: calls. Out: a report. */
import { change, operand, replace } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { outermost, tensorCall } from '../../facts/uses.ts';
import { ts, type TS } from '../../typescript.ts';

const INSTEAD: Readonly<Record<string, string>> = {
  nonzero: 'ne(0) as a mask',
  maskedSelect: 'mask.where(x, 0)',
  unique: 'a sort',
};

export const unknownSize = defineRule({
  code: 'JL411',
  title: 'A size that values decide',
  severity: 'error',
  doc: `
    How many elements \`nonzero\`, \`maskedSelect\` and \`unique\` give depends on the values, so nobody can say before the run how
    much memory they need. Use \`where\`, or a \`topk\` of a fixed size; eager code may call them.
    The quick fix for \`maskedSelect\` keeps the shape and puts 0 where the mask is false: right where a sum or a maximum of what
    is positive follows. The places that \`nonzero\` gives and the values that \`unique\` gives have no such stand-in: what is right
    depends on what they are used for.`,
  pytorch: 'Allowed: sizes are found at run time.',
  on: 'CallExpression',
  check(node, context) {
    const call = tensorCall(node, context.types);
    const instead = call && INSTEAD[call.name];
    if (!call || instead === undefined) return;
    context.report(call.nameNode, `how many elements ‘${call.name}’ gives is not known before the run; use ${instead}`, {
      fixes: [call.name === 'maskedSelect' ? masked(node, call.on) : undefined],
    });
  },
  bad: [
    `const places = await x.nonzero();
                         //^^^^^^^ JL411: how many elements ‘nonzero’ gives is not known before the run; use ne(0) as a mask
    return places;`,
    `return await x.maskedSelect(x.gt(0));
                 //^^^^^^^^^^^^ JL411`,
  ],
  good: [
    `return x.gt(0).where(x, 0);`,
    `import { rand } from 'jitlens';
    export const places = await rand([3]).nonzero();`,
  ],
});

/** `mask.where(x, 0)`, which nobody has to wait for. */
function masked(call: TS.CallExpression, on: TS.Expression) {
  const [mask] = call.arguments;
  const awaited = outermost(call).parent;
  if (!mask || ts.isSpreadElement(mask) || !ts.isAwaitExpression(awaited)) return undefined;
  return change('Keep the shape, with 0 where the mask is false', replace(awaited, `${operand(mask)}.where(${on.getText()}, 0)`));
}
