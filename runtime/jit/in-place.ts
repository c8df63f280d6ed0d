/**
 * @file Tensors from outside that a kernel may write itself, so that nothing is copied afterwards. In: the graph's writes and
 * the kernels in order. Out: for each stored node that can go there the tensor that it replaces. No later kernel may read what
 * was there before, and the kernel itself only the element that it replaces.
 */
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { layoutOf } from '../ir/graph.ts';
import { everyExpr } from '../kernels/axes.ts';
import type { Lowered } from '../kernels/lower.ts';
import { isContiguous } from '../tensor/layout.ts';
import { sameShape } from '../tensor/shape.ts';

export function writtenInPlace(graph: Graph, kernels: readonly Lowered[]): ReadonlyMap<Node, ExternalNode> {
  const lastRead = new Map<number, number>();
  const storedBy = new Map<Node, number>();
  kernels.forEach(({ reads, roots }, i) => {
    for (const read of reads) if (read.kind === 'external') lastRead.set(read.storage, i);
    for (const root of roots) storedBy.set(root, i);
  });
  const found = new Map<Node, ExternalNode>();
  for (const { target, value } of graph.writes) {
    const at = storedBy.get(value);
    const kernel = kernels[at ?? -1];
    const alone = graph.writes.every((w) => w.value !== value || w.target === target) && !graph.outputs.includes(value);
    const whole =
      isContiguous(layoutOf(target)) && layoutOf(target).offset === 0 && sameShape(target.meta.shape, value.meta.shape);
    const written = graph.writes.filter((w) => w.target.storage === target.storage).length;
    if (at === undefined || !kernel || !alone || !whole || written > 1 || target.meta.dtype !== value.meta.dtype) continue;
    if ((lastRead.get(target.storage) ?? -1) <= at && readsOnlyWhatItWrites(kernel, value, target)) found.set(value, target);
  }
  return found;
}

function readsOnlyWhatItWrites({ nest, reads, roots }: Lowered, value: Node, target: ExternalNode): boolean {
  const buffer = reads.length + roots.findIndex((r) => r === value);
  const places = new Set(nest.stores.filter((s) => s.buffer === buffer).map((s) => s.index.key));
  const [place] = places;
  const before = reads.flatMap((r, i) => (r.kind === 'external' && r.storage === target.storage ? [i] : []));
  return (
    before.length === 0 ||
    (places.size === 1 && everyExpr(nest).every((e) => e.kind !== 'load' || !before.includes(e.buffer) || e.index.key === place))
  );
}
