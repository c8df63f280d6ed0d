/** @file What a kernel is called. In: the nodes inside. Out: a name that may stand in its text. */
import { nodeName } from '../ir/graph.ts';
import type { Group } from '../kernels/lower.ts';

/** The ops that do its work, most frequent first. */
export function groupName(group: Group): string {
  const counts = new Map<string, number>();
  for (const node of group.inside) {
    if (node.kind !== 'op' || node.op.kind === 'create' || (node.op.kind === 'move' && node.op.view)) continue;
    const name = nodeName(node);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return (names.length > 0 ? names : group.roots.map(nodeName)).slice(0, 4).join('_').replace(/\W+/g, '_');
}
