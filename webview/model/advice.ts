/**
 * @file The profile's advice as it is shown. In: the profile. Out: entries, those that say the same of several lines as one. What
 * is said of a line of code, and not of a kernel, belongs to the run: that is where it waits for the device.
 */
import type { Advice, Profile, Span } from '../../runtime/profile/model.ts';
import { lineKey } from './joins.ts';

export interface AdviceEntry extends Pick<Advice, 'severity' | 'message' | 'kernel'> {
  /** Each line once. */
  readonly spans: readonly Span[];
}

export interface AdviceParts {
  readonly ofRun: readonly AdviceEntry[];
  readonly others: readonly AdviceEntry[];
}

export function adviceOf({ advice }: Pick<Profile, 'advice'>): AdviceParts {
  const entries = new Map<string, AdviceEntry>();
  for (const { severity, message, kernel, span } of advice) {
    const key = JSON.stringify([severity, message, kernel]);
    const spans = [...(entries.get(key)?.spans ?? []), ...(span ? [span] : [])];
    entries.set(key, { severity, message, kernel, spans: onceEach(spans) });
  }
  const isOfRun = ({ kernel, spans }: AdviceEntry) => kernel === undefined && spans.length > 0;
  const all = [...entries.values()];
  return { ofRun: all.filter(isOfRun), others: all.filter((entry) => !isOfRun(entry)) };
}

function onceEach(spans: readonly Span[]): Span[] {
  const lines = spans.map(lineKey);
  return spans.filter((span, at) => lines.indexOf(lineKey(span)) === at);
}
