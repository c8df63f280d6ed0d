/**
 * @file What `jitlens profile` and `jitlens bench` share: options that choose an example and how it runs, and its run in a
 * process of its own. In: arguments. Out: its profile, or an exit code when the reason was printed.
 */
import { fileURLToPath } from 'node:url';
import { runProfile } from '../host/client.ts';
import type { Failure, ProfileRequest } from '../host/protocol.ts';
import type { DeviceKind, Profile } from '../profile/model.ts';
import { relativePath } from '../profile/report.ts';
import { Progress } from './progress.ts';

export const EXAMPLE_HELP = `  --example NAME   which export to run, when there are several
  --device KIND    gpu, software or reference; the best there is when left out
  --runs N         measured runs of each kind (30; fewer when they take long)
  --timeout S      seconds without progress after which the run is stopped (60)`;

export const exampleOptions = {
  example: { type: 'string' },
  device: { type: 'string' },
  runs: { type: 'string' },
  timeout: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

const DEVICES: readonly DeviceKind[] = ['gpu', 'software', 'reference'];

interface Values {
  readonly example?: string;
  readonly device?: string;
  readonly runs?: string;
  readonly timeout?: string;
}

export function requestOf(values: Values, [file, extra]: readonly string[]): ProfileRequest {
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
  };
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} is a whole number from 1, not ‘${text}’`);
  return value;
}

export async function profileOf(request: ProfileRequest): Promise<Profile | number> {
  const progress = new Progress(process.stderr);
  const abort = new AbortController();
  const cancel = () => abort.abort();
  process.once('SIGINT', cancel).once('SIGTERM', cancel);
  const outcome = await runProfile(request, {
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
  return outcome.profile;
}

function explain({ message, span, hint, code }: Failure): string {
  const where = span ? `${relativePath(span.file)}:${span.line}:${span.column}: ` : '';
  return `${where}${message} (${code})${hint === undefined ? '' : `\n${hint}`}`;
}
