/** @file `jitlens explain JL203`: prints a rule's page, from the rule itself. */
import { pageOf } from '../script/page.ts';
import { ruleOf, rules } from '../script/rules/table.ts';

const HELP = `Usage: jitlens explain CODE

Prints what a diagnostic means: why, what is wrong, what is right, and what PyTorch says.

Examples:
  jitlens explain JL203
  jitlens explain jl209

Exit codes: 0 done, 2 there is no such code.`;

export function explain(args: string[]): Promise<number> {
  const [code] = args;
  if (code === '--help' || code === '-h') {
    console.log(HELP);
    return Promise.resolve(0);
  }
  if (code === undefined || args.length > 1) {
    console.error(
      `jitlens explain: ${code === undefined ? 'which code?' : 'one code at a time'}\nSee \`jitlens explain --help\`.`,
    );
    return Promise.resolve(2);
  }
  const rule = ruleOf(code);
  if (!rule) {
    console.error(
      `jitlens explain: there is no rule ‘${code}’; there are ${rules[0]?.code ?? ''} to ${rules.at(-1)?.code ?? ''}`,
    );
    return Promise.resolve(2);
  }
  process.stdout.write(pageOf(rule));
  return Promise.resolve(0);
}
