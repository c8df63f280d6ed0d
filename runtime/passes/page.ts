/** @file A pass's page as Markdown. In: the pass, its example's graph before and after. Out: what it does, shown; and the list of all. */
import { formatShape } from '../tensor/shape.ts';
import type { Pass } from './define.ts';

const block = (language: string, text: string): string[] => [`\`\`\`${language}`, text.trimEnd(), '```', ''];

export function pageOf(
  { name, doc, example }: Pass,
  { before, after }: { readonly before: string; readonly after: string },
): string {
  const frozen = Object.entries(example.frozen ?? {}).map(([held, shape]) => `\`${held}\` of ${formatShape(shape)}`);
  const given = `For arguments of ${example.shapes.map(formatShape).join(' and ')}${frozen.length > 0 ? `, with ${frozen.join(', ')} frozen` : ''}:`;
  const code = example.code.replaceAll(/^ {4}/gm, '');
  return [
    `# ${name}`,
    '',
    doc,
    '',
    given,
    '',
    ...block('ts', code),
    '## Before',
    '',
    ...block('', before),
    '## After',
    '',
    ...block('', after),
  ].join('\n');
}

/** The list of all pages, in the order in which the passes run. */
export function indexOf(passes: readonly Pass[]): string {
  return [
    '# The passes',
    '',
    'What is done to a graph before it is fused, in this order. `runtime/passes/NAME.ts` is the source of each, and its header says how it is done; this page and the others here are written by `node scripts/docs.mjs`. In the panel each stands with the nodes that it left.',
    '',
    ...passes.map(({ name, doc }) => `1. [${name}](${name}.md): ${doc}`),
    '',
  ].join('\n');
}
