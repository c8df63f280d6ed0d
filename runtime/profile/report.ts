/** @file The profile as a page of text. In: the document. Out: what `jitlens profile` prints; colour only where it is asked for. */
import { basename, relative } from 'node:path';
import { formatBytes, formatError, formatMs, formatRate, formatSpeedUp, NONE } from './format.ts';
import type { Profile, ProfileKernel, Run, Span } from './model.ts';

const TOP_KERNELS = 5;
const TOP_LINES = 5;
const BAR = 24;

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly accent: (text: string) => string;
  readonly warn: (text: string) => string;
}

const code = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const same = (text: string): string => text;
export const colour: Paint = { bold: code(1, 22), dim: code(2, 22), accent: code(36, 39), warn: code(33, 39) };
export const plain: Paint = { bold: same, dim: same, accent: same, warn: same };

export function report(profile: Profile, paint: Paint): string {
  return (
    [
      ...head(profile, paint),
      '',
      ...runs(profile, paint),
      '',
      ...kernels(profile, paint),
      '',
      ...lines(profile, paint),
      '',
      ...foot(profile, paint),
    ].join('\n') + '\n'
  );
}

function head(p: Profile, paint: Paint): string[] {
  const kind =
    p.device.kind === 'gpu'
      ? 'GPU'
      : paint.warn(p.device.kind === 'software' ? 'software GPU, no hardware was used' : 'float64 reference on the CPU');
  const shapes = p.inputs.map((t) => `[${t.shape.join(', ')}]`).join(', ');
  return [
    `${paint.bold(`JitLens profile of ${p.example}`)} ${paint.dim(`(${place(p.span)})`)}`,
    `Device   ${p.device.name} ${paint.dim('·')} ${kind}`,
    `Input    ${shapes}`,
  ];
}

function runs(p: Profile, paint: Paint): string[] {
  const { eager, traced } = p.runs;
  const clock = p.device.kind === 'software' ? 'kernels (CPU)' : 'GPU';
  const row = (name: string, run: Run, faster: string) =>
    [
      name.padEnd(8),
      formatMs(run.medianMs).padStart(10),
      `${formatMs(run.p10Ms)} … ${formatMs(run.p90Ms)}`.padStart(24),
      formatMs(run.gpuMs ?? run.softwareKernelMs).padStart(14),
      String(run.dispatches).padStart(11),
      formatBytes(run.bytes).padStart(11),
      `  ${faster}`,
    ].join('');
  const title = ['', 'median', '10 % … 90 %', clock, 'dispatches', 'traffic'];
  const widths = [8, 10, 24, 14, 11, 11];
  return [
    paint.dim(title.map((t, i) => t.padStart(widths[i] ?? 0)).join('')),
    row('eager', eager, ''),
    row(p.compiledAs ?? 'traced', traced, paint.bold(formatSpeedUp(eager.medianMs, traced.medianMs))),
    paint.dim(`run and wait, ${traced.runs} runs after ${traced.warmup} to warm up`),
  ];
}

function kernels(p: Profile, paint: Paint): string[] {
  const traced = p.kernels.filter((k) => k.mode === 'traced').sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0));
  const shown = traced.slice(0, TOP_KERNELS);
  const total = traced.reduce((sum, k) => sum + (k.ms ?? 0), 0);
  const title = `${paint.bold('Kernels')} ${paint.dim(`${traced.length} ${p.compiledAs ?? 'traced'}${traced.length > shown.length ? `, the ${shown.length} longest` : ''}`)}`;
  return [title, ...shown.flatMap((k) => kernel(k, total, p, paint))];
}

function kernel(k: ProfileKernel, total: number, p: Profile, paint: Paint): string[] {
  const seconds = k.ms === undefined ? undefined : k.ms / 1000;
  const rate = (amount: number, unit: string) => formatRate(seconds ? amount / seconds : undefined, unit);
  const share = k.ms === undefined || total === 0 ? NONE : `${Math.round((100 * k.ms) / total)} %`;
  const time = formatMs(k.ms, p.device.timerResolutionNs);
  return [
    `  ${paint.accent(k.name)}  ${time} · ${share} · ${rate(k.bytes, 'B/s')} · ${rate(k.flops, 'FLOP/s')}  ${paint.dim(`${k.nodes.length} ops, ${k.schedule}`)}`,
    ...k.spans.slice(0, TOP_LINES).map((span) => `    ${paint.dim(place(span).padEnd(18))} ${excerpt(p, span)}`),
  ];
}

/** Where the eager run spends its time, line by line. */
function lines(p: Profile, paint: Paint): string[] {
  const costs = new Map<string, { span: Span; ms: number; calls: number }>();
  for (const node of p.nodes) {
    if (node.eagerMs === undefined) continue;
    const key = `${node.span.file}:${node.span.line}`;
    const known = costs.get(key) ?? { span: node.span, ms: 0, calls: 0 };
    costs.set(key, { span: known.span, ms: known.ms + node.eagerMs, calls: known.calls + node.eagerDispatches });
  }
  const sorted = [...costs.values()].sort((a, b) => b.ms - a.ms).slice(0, TOP_LINES);
  const most = sorted[0]?.ms ?? 1;
  if (sorted.length === 0) {
    const why = p.compiledAs === 'scripted' ? 'A scripted run calls other ops than the eager one' : 'No device clock';
    return [paint.dim(`${why}: the cost of single lines is not known.`)];
  }
  return [
    `${paint.bold('Lines')} ${paint.dim('what each cost when run eagerly')}`,
    ...sorted.map(({ span, ms, calls }) => {
      const bar = '█'.repeat(Math.max(1, Math.round((BAR * ms) / most))).padEnd(BAR);
      return `  ${paint.dim(place(span).padEnd(18))} ${formatMs(ms).padStart(9)} ${paint.accent(bar)} ${String(calls).padStart(5)} × ${excerpt(p, span)}`;
    }),
  ];
}

function foot(p: Profile, paint: Paint): string[] {
  const { check, compile, memory } = p;
  const stages = compile.stages.map((s) => `${s.name} ${formatMs(s.ms)}`).join(', ');
  const reference =
    check.maxRelErrorAgainstReference === undefined
      ? `not compared (${check.referenceSkipped ?? 'no reference run'})`
      : formatError(check.maxRelErrorAgainstReference);
  return [
    `Error    ${formatError(check.maxRelError)} against eager ${paint.dim('·')} ${reference} against float64`,
    `Compile  ${formatMs(compile.totalMs)} ${paint.dim(`(${stages})`)}`,
    `Memory   ${formatBytes(memory.parameterBytes)} parameters ${paint.dim('·')} ${formatBytes(memory.plannedBytes)} intermediates ${p.compiledAs ?? 'traced'} ${paint.dim('·')} ${formatBytes(p.runs.eager.peakBytes)} peak eager, ${formatBytes(p.runs.traced.peakBytes)} ${p.compiledAs ?? 'traced'}`,
    ...p.advice.map((a) => note(paint, a.severity === 'warning', a.message, a.span)),
    ...(p.diagnostics ?? [])
      .filter((d) => d.severity !== 'hint')
      .map((d) => note(paint, d.severity === 'warning', `${d.message} (${d.code})`, { file: d.range.file, ...d.range.start })),
  ];
}

function place(span: Span): string {
  return `${basename(span.file)}:${span.line}`;
}

function excerpt(p: Profile, span: Span): string {
  const line = p.sources[span.file]?.split('\n')[span.line - 1]?.trim() ?? '';
  return line.length > 64 ? `${line.slice(0, 63)}…` : line;
}

export function relativePath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? file : path;
}

function note(paint: Paint, warns: boolean, message: string, span?: Span): string {
  const place = span ? `${relativePath(span.file)}:${span.line}: ` : '';
  return `${warns ? paint.warn('Warning') : 'Note   '}  ${place}${message}`;
}
