/**
 * @file `npm run bench:compile -- [CASE …]`: what compiling costs on the software device, in a process that finds nothing kept
 * on disk and in the next one. In: names of cases. Out: one JSON line for each process; `--help` says what is in it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const names = ['conv2d-handwritten', 'lstm-train', 'chain-1000', 'chain-10000'] as const;

const HELP = `Usage: npm run bench:compile -- [CASE…]

Compiles the cases whose names begin with CASE, all when left out, on the software device, each in a process of its own: first
with an empty cache, then in a second process with what the first one kept. One JSON line for each process:

  case, cache      the case; ‘empty’ or ‘filled’
  ready_ms         from the call of jit.trace to the first result of the traced function
  cpu_ms           processor time of all threads in between, which other programs disturb less
  record_ms        of ready_ms, running the code and writing down its ops
  stages           of that, what the compile itself did, in ms; pipelines are compiled while the code goes on
  ratio            ready_ms over that of the first process, for the second
  nodes, kernels, pipelines   of the optimised graph; kernels with the same text have one pipeline
  device, cores, load         load is that of the last minute, before

Values are compared with those of an eager run, once all is timed.

Cases: ${names.join(', ')}.
Exit codes: 0 done, 1 values of a case were wrong, 2 the command line was.`;

interface Line {
  readonly case: string;
  readonly ready_ms: number;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let given;
  try {
    given = parseArgs({
      args,
      allowPositionals: true,
      options: { one: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = given;
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  // The library opens a device when it is imported, so only the processes that measure do so.
  if (values.one !== undefined) return (await import('./compile-one.ts')).compileOne(values.one);
  const unknown = positionals.filter((name) => !names.some((n) => n.startsWith(name)));
  if (unknown.length > 0) return wrong(`no case is called ${unknown.join(', ')}`);
  const chosen = names.filter((name) => positionals.length === 0 || positionals.some((p) => name.startsWith(p)));
  return chosen.map(bench).every(Boolean) ? 0 : 1;
}

function wrong(message: string): number {
  console.error(`bench: ${message}\nSee \`npm run bench:compile -- --help\`.`);
  return 2;
}

/** Whether the values were right in both processes. */
function bench(name: string): boolean {
  const cache = mkdtempSync(join(tmpdir(), 'jitlens-bench-'));
  try {
    const first = inProcess(name, cache);
    if (!first) return false;
    print({ cache: 'empty' }, first);
    const second = inProcess(name, cache);
    if (!second) return false;
    print({ cache: 'filled', ratio: Number((second.ready_ms / first.ready_ms).toFixed(3)) }, second);
    return true;
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

function inProcess(name: string, cache: string): (Line & { readonly load: number }) | undefined {
  const [load = NaN] = loadavg();
  const env = { ...process.env, JITLENS_CACHE: cache, JITLENS_DEVICE: 'software' };
  const program = process.argv[1] ?? '';
  const { stdout, status } = spawnSync(process.execPath, [program, '--one', name], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return status === 0 ? { ...(JSON.parse(stdout) as Line), load: Number(load.toFixed(2)) } : undefined;
}

function print(about: Readonly<Record<string, unknown>>, { case: name, ...figures }: Line): void {
  console.log(JSON.stringify({ peer: 'jitlens', case: name, ...about, ...figures, cores: availableParallelism() }));
}
