/** @file JL411: an op whose result has a size that its values decide. In: calls. Out: a report. */
import { defineRule } from '../../define.ts';
import { tensorCall } from '../../facts/uses.ts';

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
    much memory they need. Use \`where\`, or a \`topk\` of a fixed size; eager code may call them.`,
  pytorch: 'Allowed: sizes are found at run time.',
  on: 'CallExpression',
  check(node, context) {
    const call = tensorCall(node, context.types);
    const instead = call && INSTEAD[call.name];
    if (call && instead !== undefined)
      context.report(call.nameNode, `how many elements ‘${call.name}’ gives is not known before the run; use ${instead}`);
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
