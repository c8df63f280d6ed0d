/** @file How one pass is written down: what it does in a sentence, an example, what it needs, what it keeps, and the rewrite. */
import type { Graph } from '../ir/graph.ts';
import type { Shape } from '../tensor/shape.ts';

/** What can be said of a graph: it is free of writes to views (`functional`), inputs precede uses and types fit (`verified`). */
export type Property = 'functional' | 'verified';

/** Code that a pass changes the graph of: its page shows the graph before and after. */
export interface Example {
  /** A function of tensors, in the names of JitLens. */
  readonly code: string;
  /** Of its arguments. */
  readonly shapes: readonly Shape[];
  /** Tensors that it holds, which are frozen, by their names. */
  readonly frozen?: Readonly<Record<string, Shape>>;
}

export interface Pass {
  readonly name: string;
  /** What it does, for the panel. */
  readonly doc: string;
  readonly example: Example;
  readonly requires: readonly Property[];
  readonly establishes?: readonly Property[];
  readonly run: (graph: Graph) => Graph;
}

export function definePass(pass: Pass): Pass {
  return pass;
}
