#!/usr/bin/env node
/** @file The command line: picks the command. In: arguments. Out: its exit code: 0 done, 1 the user's code failed, 2 usage. */
import { VERSION } from '../version.ts';
import { benchCommand } from './bench.ts';
import { check } from './check.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { profileCommand } from './profile.ts';

interface Command {
  readonly name: string;
  readonly summary: string;
  readonly run: (args: string[]) => Promise<number>;
}

const commands: readonly Command[] = [
  { name: 'check', summary: 'say what in the code cannot be scripted, without running it', run: check },
  { name: 'explain', summary: 'print what a diagnostic means', run: explain },
  { name: 'profile', summary: 'run an example eagerly and traced, and show what each line and kernel cost', run: profileCommand },
  { name: 'bench', summary: 'time an example eagerly and compiled, also against earlier figures', run: benchCommand },
  { name: 'doctor', summary: 'say which devices there are and whether they work', run: doctor },
];

async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--version' || name === '-v') {
    console.log(VERSION);
    return 0;
  }
  const command = commands.find((c) => c.name === name);
  if (command) return command.run(args);
  const help = name === undefined || name === '--help' || name === '-h' || name === 'help';
  (help ? console.log : console.error)(usage(help ? undefined : name));
  return help ? 0 : 2;
}

function usage(unknown?: string): string {
  return [
    ...(unknown === undefined ? [] : [`jitlens: there is no command ‘${unknown}’`, '']),
    'Usage: jitlens COMMAND [options]',
    '',
    ...commands.map((c) => `  ${c.name.padEnd(10)}${c.summary}`),
    '',
    'Example: jitlens profile model.ts',
    '`jitlens COMMAND --help` says more.',
  ].join('\n');
}

process.exitCode = await main(process.argv.slice(2));
