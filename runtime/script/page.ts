/** @file A rule's page as Markdown. In: the rule. Out: what it says, why, examples, what PyTorch says, how to suppress it. */
import type { Rule } from './define.ts';

/** Text without the indentation that it has in the rule's file. */
function dedent(text: string): string {
  return text.replace(/^\n/, '').replace(/^ {4}/gm, '').trimEnd();
}

function example(text: string): string {
  // Where a mark stands left of the code, the code is moved right.
  const shifted = /^ {2}\/\/\^/m.test(text) ? `  ${text.replace(/^ {2}/gm, '')}` : dedent(text);
  return ['```ts', shifted, '```', ''].join('\n');
}

const SAYS = {
  error: 'An error: such code is not compiled.',
  warning: 'A warning: such code is compiled, at a price.',
  hint: 'A hint: something to know.',
} as const;

export function pageOf(rule: Rule): string {
  const { code, title, severity, doc, pytorch, bad, good, everywhere } = rule;
  const found = everywhere ? ' It is looked for in all code that touches tensors, eager code too.' : '';
  const traced = rule.traced ? ' In traced functions it is a warning.' : '';
  return [
    `# ${code}: ${title}`,
    '',
    ...(severity ? [`${SAYS[severity]}${found}${traced}`, ''] : []),
    dedent(doc),
    '',
    ...(bad.length > 0 ? [severity === 'hint' ? '## Found in' : '## Wrong', '', ...bad.map(example)] : []),
    ...(good.length > 0 ? [severity === 'hint' || !severity ? '## Fine' : '## Right', '', ...good.map(example)] : []),
    ...(pytorch === undefined ? [] : ['## PyTorch', '', pytorch, '']),
    ...(severity
      ? ['## To suppress it', '', `On the line before, with a reason: \`// jitlens-ignore ${code}: reason\`.`, '']
      : []),
  ].join('\n');
}

/** The list of all pages. */
export function indexOf(rules: readonly Rule[]): string {
  return [
    '# The rules of TensorScript',
    '',
    'What `jitlens check` and the editor say about code that is scripted or traced. `jitlens explain CODE` prints a page.',
    'This page and the others here are written by `node scripts/docs.mjs`.',
    '',
    '| code | what | severity |',
    '| --- | --- | --- |',
    ...rules.map((r) => `| [${r.code}](${r.code}.md) | ${r.title} | ${r.severity ?? '–'} |`),
    '',
  ].join('\n');
}
