/**
 * @file Figures as text. In: numbers of the profile, perhaps absent. Out: what a person reads, with its unit.
 * An absent figure is “–”; a time below the clock's step is “< step”, never 0.
 */
import type { Span, TensorInfo } from '../../runtime/profile/model.ts';

export const ABSENT = '–';
const THIN = '\u202f';

/** Three significant digits, without an exponent and without digits that say nothing. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(2);
}

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

function scaled(value: number, units: readonly string[]): string {
  let rest = value;
  let index = 0;
  // 999.6 would be printed as 1,000 of the smaller unit.
  while (rest >= 999.5 && index < units.length - 1) {
    rest /= 1000;
    index += 1;
  }
  const digits = index === 0 && Number.isInteger(rest) ? count(rest) : significant(rest);
  return `${digits}${THIN}${units[index] ?? ''}`;
}

export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return ABSENT;
  if (ms < 0.0009995) return `${significant(ms * 1e6)}${THIN}ns`;
  if (ms < 0.9995) return `${significant(ms * 1000)}${THIN}µs`;
  if (ms < 10_000) return `${significant(ms)}${THIN}ms`;
  return `${significant(ms / 1000)}${THIN}s`;
}

/** Two times; the unit once where both have the same. */
export function range(fromMs: number, toMs: number): string {
  const [from, to] = [milliseconds(fromMs), milliseconds(toMs)];
  const [digits, unit] = from.split(THIN);
  return unit === to.split(THIN)[1] ? `${digits}–${to}` : `${from} – ${to}`;
}

/** A time that the device's clock gave: below one step of that clock only the bound is known. */
export function clockTime(ms: number | undefined, resolutionNs: number | undefined): string {
  if (ms !== undefined && resolutionNs !== undefined && ms * 1e6 < resolutionNs)
    return `<${THIN}${milliseconds(resolutionNs / 1e6)}`;
  return milliseconds(ms);
}

export function bytes(value: number | undefined): string {
  return value === undefined ? ABSENT : scaled(value, ['B', 'kB', 'MB', 'GB', 'TB']);
}

export function flops(value: number | undefined): string {
  return value === undefined ? ABSENT : scaled(value, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP']);
}

/** `amount` in `ms`, per second, in units of 10⁹; in units of 10¹² where five digits would be needed. */
export function gigaPerSecond(amount: number, ms: number | undefined, unit: 'B' | 'FLOP'): string {
  if (ms === undefined || ms <= 0) return ABSENT;
  const giga = amount / ms / 1e6;
  return giga < 9999.5 ? `${significant(giga)}${THIN}G${unit}/s` : `${significant(giga / 1000)}${THIN}T${unit}/s`;
}

export function percent(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return ABSENT;
  const value = share * 100;
  if (value > 0 && value < 0.1) return `<${THIN}0.1${THIN}%`;
  return `${value >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)}${THIN}%`;
}

export function relativeError(value: number | undefined): string {
  if (value === undefined) return ABSENT;
  return value === 0 ? 'exact' : value.toExponential(1);
}

export function shapeText(tensor: Pick<TensorInfo, 'shape'>): string {
  return tensor.shape.length === 0 ? 'scalar' : `[${tensor.shape.join(', ')}]`;
}

const shortDType: Readonly<Record<TensorInfo['dtype'], string>> = {
  float64: 'f64',
  float32: 'f32',
  float16: 'f16',
  int32: 'i32',
  uint32: 'u32',
  bool: 'bool',
};

export function tensorText(tensor: TensorInfo): string {
  return `${shapeText(tensor)} ${shortDType[tensor.dtype]}`;
}

export function fileName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path;
}

export function place(span: Span): string {
  return `${fileName(span.file)}:${span.line}`;
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
