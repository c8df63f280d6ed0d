/** @file Milliseconds as a person reads them: `3.21 ms`, `42 µs`, `1.2 s`; three figures at most. */
export function duration(ms: number): string {
  if (ms >= 999.5) return `${figures(ms / 1000)} s`;
  if (ms >= 0.9995) return `${figures(ms)} ms`;
  return `${figures(ms * 1000)} µs`;
}

function figures(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
