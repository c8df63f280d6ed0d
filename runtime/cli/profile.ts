/** @file `jitlens profile`: runs one example in a process of its own and prints what it cost. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { ProfileRequest } from '../host/protocol.ts';
import { colour, plain, report } from '../profile/report.ts';
import { EXAMPLE_HELP, exampleOptions, profileOf, requestOf } from './example.ts';

const HELP = `Usage: jitlens profile FILE [options]

Runs the jit.example that FILE exports, eagerly and traced, and reports what every line and kernel cost.

${EXAMPLE_HELP}
  --json           print one JSON document instead of the report
  --out FILE       also write that document to FILE, for the editor to open (.jlprof)

Examples:
  jitlens profile extension/samples/conv2d.ts
  jitlens profile model.ts --example block --device software --json > block.json

Exit codes: 0 done, 1 the run failed, 2 the command line was wrong.`;

export async function profileCommand(args: string[]): Promise<number> {
  let request: ProfileRequest & { json: boolean; out?: string };
  try {
    const parsed = parse(args);
    if (parsed === 'help') {
      console.log(HELP);
      return 0;
    }
    request = parsed;
  } catch (error) {
    console.error(`jitlens profile: ${error instanceof Error ? error.message : String(error)}\nSee \`jitlens profile --help\`.`);
    return 2;
  }
  const { json, out, ...rest } = request;
  const profile = await profileOf(rest);
  if (typeof profile === 'number') return profile;
  const document = JSON.stringify(profile);
  if (out !== undefined) {
    try {
      writeFileSync(out, document);
    } catch (error) {
      console.error(`jitlens profile: ${out} could not be written: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
  }
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  process.stdout.write(json ? `${document}\n` : report(profile, coloured ? colour : plain));
  return 0;
}

function parse(args: string[]): 'help' | (ProfileRequest & { json: boolean; out?: string }) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...exampleOptions,
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  return values.help ? 'help' : { ...requestOf(values, positionals), json: values.json, out: values.out };
}
