/**
 * @file `jitlens bench`: times one example eagerly and compiled. In: a file, maybe earlier lines. Out: a JSON line for each mode,
 * on standard output, without figures where the compiled values differ from the eager ones; ratios on standard error.
 */
import { parseArgs } from 'node:util';
import { JitLensError } from '../errors.ts';
import type { ProfileRequest } from '../host/protocol.ts';
import type { Profile } from '../profile/model.ts';
import { EXAMPLE_HELP, exampleOptions, profileOf, requestOf } from './example.ts';
import { ratios, readBaseline, type BenchLine } from './ratios.ts';

const HELP = `Usage: jitlens bench FILE [options]

Times the jit.example that FILE exports, eagerly and compiled, run-and-wait: one JSON line for each, on standard output.
Where the compiled values are not the eager ones, the lines say so and have no figures.

${EXAMPLE_HELP}
  --against FILE   also print a table of ratios to the lines in FILE, on standard error; below 1 is faster

Examples:
  jitlens bench model.ts > before.jsonl
  jitlens bench model.ts --against before.jsonl
  jitlens bench extension/samples/lstm.ts --example lstm --device software --runs 5

Exit codes: 0 done, 1 the run failed or values differ, 2 the command line or the earlier file was wrong.`;

/** Of the largest magnitude. */
const TOLERANCE = 1e-4;

export async function benchCommand(args: string[]): Promise<number> {
  let request: ProfileRequest;
  let baseline: BenchLine[] | undefined;
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...exampleOptions, against: { type: 'string' } },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    request = requestOf(values, positionals);
    baseline = values.against === undefined ? undefined : readBaseline(values.against);
  } catch (error) {
    const hint = error instanceof JitLensError ? error.hint : 'See `jitlens bench --help`.';
    console.error(`jitlens bench: ${error instanceof Error ? error.message : String(error)}\n${hint ?? ''}`);
    return 2;
  }
  const profile = await profileOf(request);
  if (typeof profile === 'number') return profile;
  const lines = linesOf(profile);
  for (const line of lines) console.log(JSON.stringify(line));
  if (baseline) process.stderr.write(ratios(lines, baseline));
  return lines.every((line) => line.ms !== undefined) ? 0 : 1;
}

/** A line for each mode; without its figures where the values of the two differ. */
export function linesOf({ runs, check, device, example, compiledAs = 'traced' }: Profile): BenchLine[] {
  const right = check.maxRelError <= TOLERANCE;
  const modes = [
    ['eager', runs.eager],
    [compiledAs, runs.traced],
  ] as const;
  return modes.map(([mode, run]) => ({
    peer: 'jitlens',
    case: example,
    mode,
    ...(right
      ? { ms: fixed(run.medianMs), gpu_ms: run.gpuMs === undefined ? undefined : fixed(run.gpuMs), dispatches: run.dispatches }
      : { error: `values of the ${compiledAs} run differ from eager by ${check.maxRelError}` }),
    device: device.name,
    kind: device.kind,
  }));
}

const fixed = (ms: number): number => Number(ms.toFixed(4));
