/**
 * @file The metric that boxes are coloured by. In: a metric, and ops or kernels. Out: its value, its share of the whole
 * and its text. Where the metric is absent the value is too, and nothing is coloured.
 */
import { bytes, clockTime, flops, percent } from './format.ts';
import type { ProfileIndex } from './joins.ts';

export const metrics = ['time', 'bytes', 'flops'] as const;
export type Metric = (typeof metrics)[number];

export const metricNames: Readonly<Record<Metric, string>> = { time: 'Time', bytes: 'Bytes', flops: 'FLOPs' };

/** What ops and kernels have alike; a kernel's time is `ms`, an op's is what it cost by itself. */
interface Measured {
  readonly bytes: number;
  readonly flops: number;
  readonly ms?: number;
  readonly eagerMs?: number;
}

export function metricOf(metric: Metric, thing: Measured): number | undefined {
  return metric === 'time' ? (thing.ms ?? thing.eagerMs) : thing[metric];
}

export function totalOf(metric: Metric, things: readonly Measured[]): number | undefined {
  let total: number | undefined;
  for (const thing of things) {
    const value = metricOf(metric, thing);
    if (value !== undefined) total = (total ?? 0) + value;
  }
  return total;
}

export function metricText(index: ProfileIndex, metric: Metric, value: number | undefined): string {
  if (metric === 'time') return clockTime(value, index.profile.device.timerResolutionNs);
  return metric === 'bytes' ? bytes(value) : flops(value);
}

export function metricWithShare(
  index: ProfileIndex,
  metric: Metric,
  value: number | undefined,
  total: number | undefined,
): string {
  const text = metricText(index, metric, value);
  return value === undefined || total === undefined || total <= 0 ? text : `${text} · ${percent(value / total)}`;
}
