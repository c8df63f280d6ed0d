/**
 * @file `jitlens check`: the analysis of files on standard output. In: files and folders. Out: diagnostics with code frames, or
 * as JSON, SARIF or workflow commands; exit code 1 where there are errors. No user code runs.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { colour, plain } from '../profile/report.ts';
import { Analyser } from '../script/analyse.ts';
import type { FileReport } from '../profile/diagnostic.ts';
import { keepCompiled } from '../script/compiled.ts';
import { applyFixes } from '../script/fixes.ts';
import { formats, isFormat, type Format } from './formats.ts';

const HELP = `Usage: jitlens check [PATH...] [options]

Says what in the code cannot be scripted, and where a Tensor is used as JavaScript cannot use it. Nothing is run.
PATH is a file or a folder; the present folder when left out. node_modules, dist and dot folders are left out.

  --format NAME   text, json, sarif or github (workflow commands)
  --fix           apply the first fix of each diagnostic that keeps what the code does, where fixes do not overlap

Examples:
  jitlens check
  jitlens check src/model.ts --format json
  jitlens check src --fix

Exit codes: 0 no errors, 1 errors were found, 2 the command line was wrong.`;

const SKIPPED = new Set(['node_modules', 'dist']);
const SOURCE = /\.[cm]?[jt]s$/;
const DECLARATION = /\.d\.[cm]?ts$/;

export function check(args: string[]): Promise<number> {
  return Promise.resolve(run(args));
}

function run(args: string[]): number {
  let format: Format = 'text';
  let fix = false;
  let files: string[];
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        format: { type: 'string' },
        fix: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      console.log(HELP);
      return 0;
    }
    if (values.format !== undefined) {
      if (!isFormat(values.format))
        throw new Error(`--format is one of ${Object.keys(formats).join(', ')}, not ‘${values.format}’`);
      format = values.format;
    }
    ({ fix } = values);
    files = [...new Set((positionals.length > 0 ? positionals : ['.']).flatMap((path) => filesOf(path)))];
  } catch (error) {
    console.error(`jitlens check: ${error instanceof Error ? error.message : String(error)}\nSee \`jitlens check --help\`.`);
    return 2;
  }
  const analyser = new Analyser();
  let reports = analyser.checkAll(files);
  if (fix) {
    const { count, changed } = fixAll(reports);
    for (const file of changed) analyser.update(file, undefined);
    console.error(
      `${count} ${count === 1 ? 'fix' : 'fixes'} applied in ${changed.length} ${changed.length === 1 ? 'file' : 'files'}`,
    );
    reports = analyser.checkAll(files);
  }
  keepCompiled();
  for (const problem of analyser.problems()) console.error(`jitlens check: ${problem}`);
  const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  process.stdout.write(formats[format](reports, coloured ? colour : plain));
  return reports.some((r) => r.diagnostics.some((d) => d.severity === 'error')) || analyser.problems().length > 0 ? 1 : 0;
}

function filesOf(given: string): string[] {
  const path = resolve(given);
  if (!existsSync(path)) throw new Error(`there is no ‘${given}’`);
  if (statSync(path).isFile()) {
    if (!SOURCE.test(path)) throw new Error(`‘${given}’ is neither TypeScript nor JavaScript`);
    return [path];
  }
  const files = walk(path);
  if (files.length === 0) throw new Error(`there is no TypeScript or JavaScript in ‘${given}’`);
  return files;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() && SOURCE.test(entry.name) && !DECLARATION.test(entry.name) ? [path] : [];
    });
}

function fixAll(reports: readonly FileReport[]): { readonly count: number; readonly changed: string[] } {
  let count = 0;
  const changed: string[] = [];
  for (const { file, diagnostics } of reports) {
    if (!diagnostics.some((d) => d.fixes.length > 0)) continue;
    const fixed = applyFixes(readFileSync(file, 'utf8'), diagnostics);
    if (fixed.count === 0) continue;
    writeFileSync(file, fixed.text);
    count += fixed.count;
    changed.push(file);
  }
  return { count, changed };
}
