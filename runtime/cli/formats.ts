/** @file Reports of `jitlens check` as text. In: reports. Out: code frames, JSON, SARIF 2.1.0, or GitHub's workflow commands. */
import { readFileSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Paint } from '../profile/report.ts';
import type { Diagnostic, FileReport, Range } from '../profile/diagnostic.ts';
import { codeFrame } from '../script/frame.ts';
import { rules } from '../script/rules/table.ts';
import { VERSION } from '../version.ts';

type Print = (reports: readonly FileReport[], paint: Paint) => string;

export const formats = { text, json, sarif, github } satisfies Record<string, Print>;
export type Format = keyof typeof formats;

export function isFormat(name: string): name is Format {
  return Object.hasOwn(formats, name);
}

function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') || path === '' ? file : path.split(sep).join('/');
}

const place = ({ file, start }: Range) => `${shown(file)}:${start.line}:${start.column}`;
const plural = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`;

function text(reports: readonly FileReport[], paint: Paint): string {
  const found = reports.flatMap((r) => r.diagnostics);
  const lines = new Map<string, readonly string[]>();
  const parts = found.map((d) => frame(d, paint, lines));
  const count = (severity: Diagnostic['severity']) => found.filter((d) => d.severity === severity).length;
  const [errors, warnings, hints] = [count('error'), count('warning'), count('hint')];
  const files = new Set(found.map((d) => d.range.file)).size;
  const functions = reports.flatMap((r) => r.functions);
  const fit = functions.filter((f) => f.obstacles.length === 0).length;
  const counts = [plural(errors, 'error'), plural(warnings, 'warning'), ...(hints > 0 ? [plural(hints, 'hint')] : [])].join(', ');
  const summary =
    found.length === 0 ? `nothing to say about ${plural(reports.length, 'file')}` : `${counts} in ${plural(files, 'file')}`;
  return [...parts, paint.bold(summary), `${fit} of ${plural(functions.length, 'function')} can be scripted`, ''].join('\n');
}

function linesOf(file: string, known: Map<string, readonly string[]>): readonly string[] {
  const lines = known.get(file) ?? read(file);
  known.set(file, lines);
  return lines;
}

function read(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return [];
  }
}

function frame(d: Diagnostic, paint: Paint, known: Map<string, readonly string[]>): string {
  const { start, end, file } = d.range;
  const severity =
    d.severity === 'error'
      ? paint.bold(paint.warn('error'))
      : d.severity === 'warning'
        ? paint.warn('warning')
        : paint.dim('hint');
  const source = linesOf(file, known)[start.line - 1] ?? '';
  const width = (end.line === start.line ? end.column : source.length + 1) - start.column;
  const pad = ' '.repeat(String(start.line).length);
  const related = d.related.map((r) => paint.dim(`${pad} = ${place(r.range)}: ${r.message}`));
  return [
    `${place(d.range)} ${severity} ${paint.bold(d.code)}: ${d.message}`,
    codeFrame(source, start, width, paint),
    ...related,
    '',
  ].join('\n');
}

function json(reports: readonly FileReport[]): string {
  return `${JSON.stringify({ version: VERSION, files: reports }, null, 2)}\n`;
}

const LEVELS = { error: 'error', warning: 'warning', hint: 'note' } as const;

function github(reports: readonly FileReport[]): string {
  const commands = { error: 'error', warning: 'warning', hint: 'notice' } as const;
  const escaped = (value: string) => value.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (value: string) => escaped(value).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return reports
    .flatMap((r) => r.diagnostics)
    .map(({ severity, range: { file, start, end }, code, message }) => {
      // A column makes sense to it within one line only.
      const columns = start.line === end.line ? `,col=${start.column},endColumn=${end.column}` : '';
      return `::${commands[severity]} file=${property(shown(file))},line=${start.line},endLine=${end.line}${columns},title=${code}::${escaped(message)}\n`;
    })
    .join('');
}

function sarif(reports: readonly FileReport[]): string {
  const location = ({ file, start, end }: Range) => ({
    artifactLocation: { uri: pathToFileURL(file).href },
    region: { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column },
  });
  const indices = new Map(rules.map((rule, i) => [rule.code, i]));
  const results = reports
    .flatMap((r) => r.diagnostics)
    .map((d) => ({
      ruleId: d.code,
      ...(indices.has(d.code) ? { ruleIndex: indices.get(d.code) } : {}),
      level: LEVELS[d.severity],
      message: { text: d.message },
      locations: [{ physicalLocation: location(d.range) }],
      relatedLocations: d.related.map((r, id) => ({ id, message: { text: r.message }, physicalLocation: location(r.range) })),
    }));
  const driver = {
    name: 'JitLens',
    version: VERSION,
    rules: rules.map(({ code, title, doc, severity }) => ({
      id: code,
      name: code,
      shortDescription: { text: title },
      fullDescription: { text: doc.replace(/\s+/g, ' ').trim() },
      defaultConfiguration: { level: severity ? LEVELS[severity] : 'none' },
    })),
  };
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
