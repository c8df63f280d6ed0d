/** @file Passes on small graphs, as text. In: a function of tensors and the name of a pass. Out: the graph before and after it. */
import { ones, type Tensor } from 'jitlens';
import type { Graph } from '../../../runtime/ir/graph.ts';
import { print } from '../../../runtime/ir/print.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import type { Shape } from '../../../runtime/tensor/shape.ts';
import { onlyTrace, traceOf } from './traces.ts';

const SMALL: readonly Shape[] = [
  [2, 3],
  [2, 3],
];

export function recordedOf(fn: (...inputs: Tensor[]) => unknown, shapes = SMALL): Graph {
  return onlyTrace(traceOf(fn, shapes.map((shape) => ones(shape)) as [Tensor, ...Tensor[]])).recorded;
}

/** The graph as text before and after one pass, those before it having run; `of` changes what was recorded. */
export function around(
  name: string,
  fn: (...inputs: Tensor[]) => unknown,
  shapes = SMALL,
  of = (recorded: Graph): Graph => recorded,
): { before: string; after: string } {
  const recorded = of(recordedOf(fn, shapes));
  let before = '';
  let after = '';
  let last = print(recorded);
  optimise(recorded, {
    after: (graph, pass) => {
      if (pass.name === name) [before, after] = [last, print(graph)];
      last = print(graph);
    },
  });
  return { before, after };
}

/** Lines as `print` gives them. */
export const text = (lines: string) => `${lines.trim().replaceAll(/^ +/gm, '')}\n`;
