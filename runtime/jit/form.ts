/**
 * @file Graphs that are the same but for sizes. In: graphs. Out: their form, as text that is equal for such graphs, and which nodes
 * are one kernel, by their places in the graph: so what was chosen for one holds for all of its form.
 */
import { invariant } from '../errors.ts';
import type { Graph, Node, OpNode } from '../ir/graph.ts';
import { isNode } from '../ir/graph.ts';
import { iterated } from '../kernels/lower.ts';
import { formOfAttributes } from '../ops/spec.ts';
import type { FusedGroup, Fusion } from '../passes/fuse.ts';
import { inPieces, type WideJoin } from '../passes/wide-join.ts';
import { sameShape } from '../tensor/shape.ts';

export function formOfGraph({ nodes, outputs, returned, writes }: Graph): string {
  const places = new Map<Node, number>(nodes.map((node, i) => [node, i]));
  const storages = new Map<number, number>();
  const place = (node: Node) => places.get(node);
  const lines = nodes.map((node) => {
    const meta = `${node.meta.dtype}${node.meta.shape.length}`;
    if (node.kind === 'op')
      return `${node.op.name}(${node.inputs.map((x) => (isNode(x) ? place(x) : '#')).join()})${formOfAttributes(node.attributes)}${meta}`;
    const storage = storages.get(node.storage) ?? storages.size;
    storages.set(node.storage, storage);
    return `${node.role}${storage}${meta}`;
  });
  return JSON.stringify([
    lines,
    outputs.map(place),
    returned?.map(({ of }) => (typeof of === 'number' ? of : [place(of)])),
    writes.map(({ target, value }) => [place(target), place(value)]),
  ]);
}

/** The groups of a graph, by the places of their nodes. */
export class GroupPlaces {
  private readonly wide: readonly WideJoin[];
  private readonly groups: readonly { readonly roots: number[]; readonly inside: number[]; readonly boundary: string }[];

  constructor({ graph, groups, wide }: Fusion) {
    const places = new Map<Node, number>(graph.nodes.map((node, i) => [node, i]));
    const placeOf = (node: Node): number => invariant(places.get(node), 'a node of the graph');
    this.wide = wide;
    this.groups = groups.map(({ roots, inside, boundary }) => ({
      roots: roots.map(placeOf),
      inside: [...inside].map(placeOf),
      boundary,
    }));
  }

  /** The same groups of a graph of the same form; undefined where nodes that one kernel stores have different shapes there. */
  in(given: Graph): Fusion | undefined {
    const graph = this.wide.reduce(inPieces, given);
    const nodeAt = (place: number): Node => invariant(graph.nodes[place], 'a node of the graph');
    const opAt = (place: number): OpNode => {
      const node = nodeAt(place);
      return invariant(node.kind === 'op' && node, 'an op');
    };
    const groups = this.groups.map(({ roots, inside, boundary }): FusedGroup => ({
      roots: roots.map(opAt),
      inside: new Set(inside.map(nodeAt)),
      boundary,
    }));
    const fits = groups.every(({ roots }) => roots.every((root) => sameShape(iterated([root]), iterated(roots))));
    return fits ? { groups, graph, wide: this.wide } : undefined;
  }
}
