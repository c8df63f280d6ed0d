/**
 * @file Benchmark lines against earlier ones. In: JSON lines of JitLens or of a peer, as `npm run bench` and `jitlens bench`
 * print them. Out: a table with a row for each pair of figures for one case. A ratio below 1 says that the new one is faster.
 */
import { readFileSync } from 'node:fs';
import { JitLensError } from '../errors.ts';

/** What is needed of a line; it may say more. */
export interface BenchLine {
  readonly peer: string;
  readonly case: string;
  readonly mode: string;
  /** Median of run-and-wait. Absent where the case failed, and where the line is about one kernel. */
  readonly ms?: number;
  readonly device?: string;
}

/** The lines with a figure; where a case stands several times in the file, the last one counts. */
export function readBaseline(file: string): BenchLine[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new JitLensError('JLR-BASELINE', `there is no file ‘${file}’ that can be read`, MAKE_ONE);
  }
  const lines = new Map<string, BenchLine>();
  text.split(/\r?\n/).forEach((row, i) => {
    // npm says what it runs in lines of this form, where its output was sent to the file.
    if (row.trim() === '' || row.startsWith('> ')) return;
    const line = parse(row);
    if (!line)
      throw new JitLensError('JLR-BASELINE', `${file}:${i + 1} is not a line of a benchmark: ${row.slice(0, 60)}`, MAKE_ONE);
    if (line.ms !== undefined) lines.set(`${line.case}\n${line.peer}\n${line.mode}`, line);
  });
  if (lines.size === 0) throw new JitLensError('JLR-BASELINE', `${file} has no figures`, MAKE_ONE);
  return [...lines.values()];
}

const MAKE_ONE = 'Make one: npm run --silent bench > before.jsonl';

function parse(row: string): BenchLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(row);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { peer, case: name, mode, ms, device } = value as Record<string, unknown>;
  if (typeof peer !== 'string' || typeof name !== 'string' || typeof mode !== 'string') return undefined;
  if (ms !== undefined && !(typeof ms === 'number' && ms > 0)) return undefined;
  return { peer, case: name, mode, ms, device: typeof device === 'string' ? device : undefined };
}

/** Each line beside those of the baseline for its case: of its own peer the same mode, of others every mode. */
export function ratios(lines: readonly BenchLine[], baseline: readonly BenchLine[]): string {
  const rows = lines.flatMap((line) => {
    const own = [line.case, line.mode, figure(line.ms)];
    const others = baseline.filter((b) => b.case === line.case && (b.peer !== line.peer || b.mode === line.mode));
    if (others.length === 0) return [[...own, '–', '–', '–']];
    return others.map((b) => [...own, `${b.peer} ${b.mode}`, figure(b.ms), line.ms && b.ms ? figure(line.ms / b.ms) : '–']);
  });
  return `${aligned([['case', 'mode', 'ms', 'against', 'ms', 'ratio'], ...rows])}${elsewhere(lines, baseline)}`;
}

const figure = (x: number | undefined) => (x === undefined ? 'failed' : String(Number(x.toPrecision(3))));

const RIGHT = new Set([2, 4, 5]);

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, c) => Math.max(...rows.map((r) => r[c]?.length ?? 0))) ?? [];
  const cell = (text: string, c: number) => (RIGHT.has(c) ? text.padStart(widths[c] ?? 0) : text.padEnd(widths[c] ?? 0));
  return rows.map((r) => `${r.map(cell).join('  ').trimEnd()}\n`).join('');
}

/** Figures of two machines say little about the code. */
function elsewhere(lines: readonly BenchLine[], baseline: readonly BenchLine[]): string {
  const devices = (of: readonly BenchLine[]) => [...new Set(of.flatMap(({ device }) => device ?? []))];
  const here = devices(lines);
  const there = devices(baseline).filter((d) => !here.includes(d));
  return here.length > 0 && there.length > 0 ? `Other devices: ${there.join(', ')} there, ${here.join(', ')} here.\n` : '';
}
