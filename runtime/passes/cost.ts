/** @file What work costs at least. In: nodes, or operations and bytes. Out: operations, and the time that no fast GPU stays below. */
import type { Node } from '../ir/graph.ts';

/** Operations of a node when it runs by itself. */
export function flopsOf(node: Node): number {
  if (node.kind === 'external' || (node.op.kind === 'move' && node.op.view)) return 0;
  const metas = node.inputs.map((x) => (typeof x === 'number' ? x : x.meta));
  return (node.op.inPlace ?? node.op).flops(metas, node.attributes, node.meta);
}

/** What a fast GPU does in a microsecond: 50 TFLOP/s of float32, 3 TB/s. */
const FLOPS = 50e6;
const BYTES = 3e6;

/** Microseconds. */
export const floorOf = (flops: number, bytes: number): number => Math.max(flops / FLOPS, bytes / BYTES);
