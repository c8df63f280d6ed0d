/** @file Figures as text, in the unit that suits them. In: a number, or undefined where there is none. Out: text; – for none. */

export const NONE = '–';

export function formatMs(ms: number | undefined, resolutionNs = 0): string {
  if (ms === undefined || !Number.isFinite(ms)) return NONE;
  if (resolutionNs > 0 && ms * 1e6 < resolutionNs) return `< ${formatMs(resolutionNs / 1e6)}`;
  if (ms < 0.001) return `${round(ms * 1e6)} ns`;
  if (ms < 1) return `${round(ms * 1000)} µs`;
  return ms < 10_000 ? `${round(ms)} ms` : `${round(ms / 1000)} s`;
}

export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return NONE;
  return scaled(bytes, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
}

export function formatRate(perSecond: number | undefined, unit: string): string {
  if (perSecond === undefined || !Number.isFinite(perSecond)) return NONE;
  return scaled(
    perSecond,
    ['', 'k', 'M', 'G', 'T', 'P'].map((prefix) => prefix + unit),
    1000,
  );
}

function scaled(value: number, units: readonly string[], step: number): string {
  let rest = value;
  let i = 0;
  while (rest >= step && i < units.length - 1) {
    rest /= step;
    i++;
  }
  return `${round(rest)} ${units[i] ?? ''}`;
}

/** Three significant digits, and never an exponent. */
function round(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** “12.3 × faster”, or “1.4 × slower”. */
export function formatSpeedUp(before: number, after: number): string {
  const [ratio, word] = before >= after ? [before / after, 'faster'] : [after / before, 'slower'];
  return `${round(ratio)} × ${word}`;
}

export function formatError(value: number | undefined): string {
  if (value === undefined) return NONE;
  return value === 0 ? 'exactly equal' : value.toExponential(1);
}
