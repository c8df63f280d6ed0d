/** @file How one pass is written down: what it does in a sentence, what it needs, what it keeps, and the rewrite. */
import type { Graph } from '../ir/graph.ts';

/** What can be said of a graph: it is free of writes to views (`functional`), inputs precede uses and types fit (`verified`). */
export type Property = 'functional' | 'verified';

export interface Pass {
  readonly name: string;
  /** What it does, for the panel. */
  readonly doc: string;
  readonly requires: readonly Property[];
  readonly establishes?: readonly Property[];
  readonly run: (graph: Graph) => Graph;
}

export function definePass(pass: Pass): Pass {
  return pass;
}
