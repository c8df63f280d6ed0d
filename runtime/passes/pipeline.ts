/** @file The passes in the order they run. In: a recorded graph. Out: the optimised one, and what each pass did. */
import type { Graph } from '../ir/graph.ts';
import type { PassReport } from '../profile/model.ts';
import type { Pass } from './define.ts';
import { fold } from './fold.ts';
import { forwardWrites } from './forward-writes.ts';
import { functionalise } from './functionalise.ts';
import { mergeProducts } from './merge-products.ts';
import { precompute } from './precompute.ts';
import { prune } from './prune.ts';
import { scaleProducts } from './scale-products.ts';
import { separate } from './separate.ts';
import { share } from './share.ts';
import { splitSums } from './split-sums.ts';
import { splitVariances } from './split-variances.ts';
import { sumProducts } from './sum-products.ts';
import { tileWrites } from './tile-writes.ts';

export const pipeline: readonly Pass[] = [
  functionalise,
  forwardWrites,
  fold,
  tileWrites,
  share,
  scaleProducts,
  precompute,
  sumProducts,
  mergeProducts,
  splitVariances,
  splitSums,
  prune,
  separate,
];

export interface Optimised {
  readonly graph: Graph;
  readonly reports: readonly PassReport[];
}

/** `after` sees the graph after each pass; `without` names passes to leave out. */
export function optimise(
  recorded: Graph,
  options: { after?: (graph: Graph, pass: Pass) => void; without?: readonly string[] } = {},
): Optimised {
  const reports: PassReport[] = [];
  let graph = recorded;
  for (const pass of pipeline) {
    if (options.without?.includes(pass.name)) continue;
    const start = performance.now();
    const next = pass.run(graph);
    reports.push({
      name: pass.name,
      doc: pass.doc,
      ms: performance.now() - start,
      nodesBefore: graph.nodes.length,
      nodesAfter: next.nodes.length,
    });
    graph = next;
    options.after?.(graph, pass);
  }
  return { graph, reports };
}
