/**
 * @file What a compile was spent on. In: how long it took in all, and the stages of its plans. Out: one list of stages that adds up
 * to the whole. What no stage explains was spent on running and recording the code.
 */
import { PIPELINES } from '../jit/compile.ts';
import type { CompileStage } from '../profile/model.ts';

/** Pipelines are compiled while the code goes on, so that only what nothing else explains of what they took counts. */
export function stagesOf(total: number, stages: readonly CompileStage[]): CompileStage[] {
  const sums = new Map<string, number>();
  for (const { name, ms } of stages) sums.set(name, (sums.get(name) ?? 0) + ms);
  const pipelines = sums.get(PIPELINES);
  sums.delete(PIPELINES);
  const rest = total - [...sums.values()].reduce((sum, ms) => sum + ms, 0);
  const waited = Math.min(rest, pipelines ?? 0);
  const named = [...sums].map(([name, ms]) => ({ name, ms }));
  // What pipelines explain wholly may still have been recording: then it is not known.
  const recorded = rest > waited ? [{ name: 'record', ms: rest - waited }] : [];
  return [...recorded, ...named, ...(pipelines === undefined ? [] : [{ name: PIPELINES, ms: waited }])];
}
