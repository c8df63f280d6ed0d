/**
 * @file What kernels read and write. In: the nodes that they store and compute. Out: of each tensor the elements that one reads, no
 * more than there are, however often it does; bytes. Of a slice only its own elements count.
 */
import { nodeInputs, type Graph, type Node, type OpNode } from '../ir/graph.ts';
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';
import { bytesOf } from './memory.ts';
import { readsPerElement } from './sums.ts';

interface Kernel {
  readonly roots: readonly OpNode[];
  /** By what is inside. */
  readonly times: ReadonlyMap<Node, unknown>;
}

export class Traffic {
  private readonly order: ReadonlyMap<Node, number>;

  constructor(graph: Graph) {
    this.order = new Map(graph.nodes.map((node, i) => [node, i]));
  }

  lastFirst<N extends Node>(nodes: Iterable<N>): N[] {
    const place = (n: N) => this.order.get(n) ?? 0;
    return [...nodes].sort((a, b) => place(b) - place(a));
  }

  /** Elements of each tensor. */
  reads({ roots, times }: Kernel): Map<Node, number> {
    const reads = new Map<Node, number>();
    const needed = new Map<Node, number>(roots.map((root) => [root, numel(root.meta.shape)]));
    for (const node of this.lastFirst(times.keys())) {
      const own = needed.get(node) ?? 0;
      if (node.kind !== 'op') continue;
      for (const x of new Set(nodeInputs(node))) {
        const to = times.has(x) ? needed : reads;
        to.set(x, Math.min(numel(x.meta.shape), (to.get(x) ?? 0) + own * readsPerElement(node, x)));
      }
    }
    return reads;
  }

  bytes(kernel: Kernel): number {
    let bytes = kernel.roots.reduce((sum, root) => sum + bytesOf(root), 0);
    for (const [node, elements] of this.reads(kernel)) bytes += elements * dtypes[node.meta.dtype].bytes;
    return bytes;
  }
}
