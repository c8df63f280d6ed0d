/**
 * @file Layers by longest path. In: ids and edges of a DAG. Out: a layer for each id, in linear time; ids without
 * producers are moved down to just above their first consumer.
 */
import { push } from '../model/joins.ts';

interface Ends {
  readonly from: string;
  readonly to: string;
}

export function longestPathRanks(ids: readonly string[], edges: readonly Ends[]): Map<string, number> {
  const out = new Map<string, string[]>();
  const waiting = new Map<string, number>(ids.map((id) => [id, 0]));
  for (const { from, to } of edges) {
    push(out, from, to);
    waiting.set(to, (waiting.get(to) ?? 0) + 1);
  }
  const rank = new Map<string, number>(ids.map((id) => [id, 0]));
  const sources = ids.filter((id) => waiting.get(id) === 0);
  const ready = [...sources];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    const below = (rank.get(id) ?? 0) + 1;
    for (const to of out.get(id) ?? []) {
      rank.set(to, Math.max(rank.get(to) ?? 0, below));
      const left = (waiting.get(to) ?? 1) - 1;
      waiting.set(to, left);
      if (left === 0) ready.push(to);
    }
  }
  for (const id of sources) {
    const consumers = (out.get(id) ?? []).map((to) => rank.get(to) ?? 1);
    if (consumers.length > 0) rank.set(id, consumers.reduce((least, value) => Math.min(least, value)) - 1);
  }
  return rank;
}
