/** @file Which nodes of a graph add up others, and how many at a time. In: nodes. Out: what fusion decides by. */
import { isNode, type OpNode } from '../ir/graph.ts';
import type { OpSpec } from '../ops/spec.ts';
import { numel } from '../tensor/shape.ts';

/** Ops of which each element is a loop over others. */
export function isSum({ kind }: OpSpec): boolean {
  return kind === 'reduce' || kind === 'scan' || kind === 'contract';
}

/** Terms of one sum. */
export function termsOf(node: OpNode): number {
  const nodes = node.inputs.filter(isNode);
  if (node.op.kind === 'contract') {
    return numel(
      node.op.extents(
        nodes.map((n) => n.meta.shape),
        node.attributes,
      ),
    );
  }
  if (node.op.kind === 'scan') return node.meta.shape[node.attributes['dim'] as number] ?? 1;
  return numel(nodes[0]?.meta.shape ?? []) / Math.max(1, numel(node.meta.shape));
}
