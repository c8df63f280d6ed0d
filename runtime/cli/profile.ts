/** @file `jitlens profile`: runs one example in a process of its own and prints what it cost. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runProfile } from '../host/client.ts';
import type { Failure, ProfileRequest } from '../host/protocol.ts';
import type { DeviceKind } from '../profile/model.ts';
import { colour, plain, relativePath, report } from '../profile/report.ts';
import { Progress } from './progress.ts';

const HELP = `Usage: jitlens profile FILE [options]

Runs the jit.example that FILE exports, eagerly and traced, and reports what every line and kernel cost.

  --example NAME   which export to profile, when there are several
  --device KIND    gpu, software or reference; the best there is when left out
  --runs N         measured runs of each kind (30; fewer when they take long)
  --timeout S      seconds without progress after which the run is stopped (60)
  --json           print one JSON document instead of the report
  --out FILE       also write that document to FILE, for the editor to open (.jlprof)

Examples:
  jitlens profile extension/samples/conv2d.ts
  jitlens profile model.ts --example block --device software --json > block.json

Exit codes: 0 done, 1 the run failed, 2 the command line was wrong.`;

const DEVICES: readonly DeviceKind[] = ['gpu', 'software', 'reference'];

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
  const progress = new Progress(process.stderr);
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const outcome = await runProfile(rest, {
    nodePath: process.execPath,
    runnerPath: fileURLToPath(new URL('./runner.js', import.meta.url)),
    signal: abort.signal,
    onStage: ({ label, fraction }) => progress.show(label, fraction),
    onOutput: (text) => progress.print(text),
  });
  progress.clear();
  if (outcome.kind === 'cancelled') {
    console.error('Cancelled.');
    return 130;
  }
  if (outcome.kind === 'failed') {
    console.error(explain(outcome.failure));
    return 1;
  }
  const document = JSON.stringify(outcome.profile);
  if (out !== undefined) {
    try {
      writeFileSync(out, document);
    } catch (error) {
      console.error(`jitlens profile: ${out} could not be written: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
  }
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  process.stdout.write(json ? `${document}\n` : report(outcome.profile, coloured ? colour : plain));
  return 0;
}

function parse(args: string[]): 'help' | (ProfileRequest & { json: boolean; out?: string }) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      example: { type: 'string' },
      device: { type: 'string' },
      runs: { type: 'string' },
      timeout: { type: 'string' },
      json: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  const [file, extra] = positionals;
  if (file === undefined) throw new Error('which file?');
  if (extra !== undefined) throw new Error(`one file at a time; ‘${extra}’ is too many`);
  const device = DEVICES.find((d) => d === values.device);
  if (values.device !== undefined && !device) throw new Error(`--device is one of ${DEVICES.join(', ')}, not ‘${values.device}’`);
  return {
    file,
    example: values.example,
    device,
    runs: values.runs === undefined ? undefined : whole('--runs', values.runs),
    timeoutMs: values.timeout === undefined ? undefined : 1000 * whole('--timeout', values.timeout),
    json: values.json,
    out: values.out,
  };
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} is a whole number from 1, not ‘${text}’`);
  return value;
}

function explain({ message, span, hint, code }: Failure): string {
  const where = span ? `${relativePath(span.file)}:${span.line}:${span.column}: ` : '';
  return `${where}${message} (${code})${hint === undefined ? '' : `\n${hint}`}`;
}
