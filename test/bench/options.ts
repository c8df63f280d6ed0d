/** @file The benchmark's command line. In: arguments. Out: which cases to time, and the lines to compare with. */
import { parseArgs } from 'node:util';
import { readBaseline, type BenchLine } from '../../runtime/cli/ratios.ts';
import { JitLensError } from '../../runtime/errors.ts';
import { cases, type Case } from './cases.ts';

const HELP = `Usage: npm run bench -- [CASE…] [options]

Times the cases whose names begin with CASE, all when left out: one JSON line for each case and mode, on standard output.
Values are checked before anything is timed.

  --against FILE   also print a table of ratios to the lines in FILE, on standard error; below 1 is faster.
                   FILE holds such lines, of JitLens or of a peer; the last of several for a case and mode counts
  --kernels        also print a line for each kernel of a run, the slowest first
  --without PASS   also time what was traced as plans alone, with all passes and with these left out (may be given again)

Examples:
  npm run bench -- matmul softmax
  npm run --silent bench > before.jsonl
  npm run bench -- --against before.jsonl
  npm run bench -- mlp --without side-by-side
  python3 torch_baseline.py lstm > torch.jsonl; npm run bench -- lstm --against torch.jsonl

Cases: ${cases.map((c) => c.name).join(', ')}.
Exit codes: 0 done, 1 values of a case were wrong, 2 the command line or FILE was.`;

export interface Options {
  readonly chosen: readonly Case[];
  readonly baseline: readonly BenchLine[] | undefined;
  readonly kernels: boolean;
  /** Passes to leave out. */
  readonly without: readonly string[];
}

/** Ends the process where there is nothing to time. */
export function options(): Options {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        against: { type: 'string' },
        kernels: { type: 'boolean', default: false },
        without: { type: 'string', multiple: true, default: [] },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const unknown = positionals.filter((name) => !cases.some((c) => c.name.startsWith(name)));
    if (unknown.length > 0) throw new Error(`no case is called ${unknown.join(', ')}`);
    return {
      chosen: cases.filter(({ name }) => positionals.length === 0 || positionals.some((p) => name.startsWith(p))),
      baseline: values.against === undefined ? undefined : readBaseline(values.against),
      kernels: values.kernels,
      without: values.without,
    };
  } catch (error) {
    const hint = error instanceof JitLensError ? error.hint : 'See `npm run bench -- --help`.';
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}\n${hint ?? ''}`);
    process.exit(2);
  }
}
