/**
 * @file The graph: ops in the order they run, each with the place in the user's source that it came from. In: what a
 * trace recorded, then what passes made of it. Out: what kernels are made from. A node's inputs always precede it.
 */
import { invariant } from '../errors.ts';
import type { Frame } from '../frames.ts';
import type { Attributes, Meta, OpSpec } from '../ops/spec.ts';
import { formatAttributes } from '../ops/spec.ts';
import type { Layout } from '../tensor/layout.ts';
import { contiguous } from '../tensor/layout.ts';
import type { Tensor } from '../tensor/tensor.ts';

export type NodeInput = Node | number;

interface NodeCommon {
  readonly id: number;
  readonly inputs: readonly NodeInput[];
  readonly meta: Meta;
  /** The chain of callers in the user's code, innermost first. */
  readonly stack: readonly Frame[];
  /** Ids of the recorded nodes that it stands for; grows when it takes the place of others. */
  readonly origins: Set<number>;
}

/** A tensor from outside: an argument of the call, or one that the code holds (a parameter, a constant). */
export interface ExternalNode extends NodeCommon {
  readonly kind: 'external';
  readonly role: 'input' | 'parameter' | 'constant';
  readonly name: string;
  /** What errors call it, where that is not its name. */
  readonly title?: string;
  /** Which argument of the call it is; absent for one that the code holds. */
  readonly position?: number;
  /** How its elements lie in the storage that it is bound to. */
  readonly layout: Layout;
  /** Equal for tensors that share memory. */
  readonly storage: number;
  /** The tensor itself, unless it is an argument. */
  readonly tensor?: Tensor;
  /** The code makes it from host data at every call, so nobody else holds it. */
  readonly made?: boolean;
  /** Its elements never change: what is computed from such tensors alone is computed once. */
  readonly frozen?: boolean;
}

export interface OpNode extends NodeCommon {
  readonly kind: 'op';
  readonly op: OpSpec;
  readonly attributes: Attributes;
}

export type Node = ExternalNode | OpNode;

/** A tensor that a run gives back: a view of one of the graph's outputs, by number, or of a tensor from outside. */
export interface Returned {
  readonly of: number | ExternalNode;
  /** Over the row-major elements of the output, or over the storage of the tensor from outside. */
  readonly layout: Layout;
}

export interface Graph {
  readonly nodes: readonly Node[];
  /** As recorded, the tensors that the code returns; once functional, the values that are given memory of their own. */
  readonly outputs: readonly Node[];
  /** What the code returns, once the graph is functional. */
  readonly returned?: readonly Returned[];
  /** Tensors from outside whose elements are replaced when the run is over. */
  readonly writes: readonly { readonly target: ExternalNode; readonly value: Node }[];
}

export function isNode(input: NodeInput | undefined): input is Node {
  return typeof input === 'object';
}

export function nodeInputs(node: Node): Node[] {
  return node.inputs.filter(isNode);
}

export function nodeName(node: Node): string {
  return node.kind === 'op' ? node.op.name : node.name;
}

/** For a sentence about it. */
export function titleOf({ title, name }: Pick<ExternalNode, 'title' | 'name'>): string {
  return title ?? `‘${name}’`;
}

/** Whether the nodes do the same thing, given the same inputs. */
export function nodeKey(node: OpNode): string {
  const inputs = node.inputs.map((input) => (isNode(input) ? `%${input.id}` : Object.is(input, -0) ? '-0' : String(input)));
  return `${node.op.name}|${inputs.join()}|${formatAttributes(node.attributes)}|${node.meta.dtype}`;
}

let nextId = 0;

/** Collects nodes into a graph. */
export class GraphBuilder {
  readonly nodes: Node[] = [];

  op(
    op: OpSpec,
    inputs: readonly NodeInput[],
    attributes: Attributes,
    from: { stack: readonly Frame[]; origins?: Iterable<number> },
  ): OpNode {
    const meta = op.infer(
      inputs.map((input) => (isNode(input) ? input.meta : input)),
      attributes,
    );
    const id = nextId++;
    const node: OpNode = {
      kind: 'op',
      id,
      op,
      inputs,
      attributes,
      meta,
      stack: from.stack,
      origins: new Set(from.origins ?? [id]),
    };
    this.nodes.push(node);
    return node;
  }

  external(of: Omit<ExternalNode, 'kind' | 'id' | 'inputs' | 'origins'> & { readonly origins?: Iterable<number> }): ExternalNode {
    const id = nextId++;
    const node: ExternalNode = { ...of, kind: 'external', id, inputs: [], origins: new Set(of.origins ?? [id]) };
    this.nodes.push(node);
    return node;
  }

  keep(node: Node): Node {
    this.nodes.push(node);
    return node;
  }
}

/** The node with other inputs; itself when they are the ones it has. */
export function withInputs(node: OpNode, inputs: readonly NodeInput[]): OpNode {
  if (inputs.every((input, i) => input === node.inputs[i])) return node;
  return { ...node, id: nextId++, inputs };
}

/**
 * Rebuilds a graph front to back. `visit` gets each op with its inputs already rebuilt, and returns what stands in its
 * place: a node it made with the builder, one that is there already, or undefined to keep it as it is. `before` is the
 * node as it stands in `graph`.
 */
export function rewrite(graph: Graph, visit: (node: OpNode, build: GraphBuilder, before: OpNode) => Node | undefined): Graph {
  const build = new GraphBuilder();
  const now = new Map<Node, Node>();
  const current = (node: Node): Node => invariant(now.get(node), `${nodeName(node)} is used before it is computed`);
  for (const node of graph.nodes) {
    if (node.kind === 'external') {
      now.set(node, build.keep(node));
      continue;
    }
    const fresh = withInputs(
      node,
      node.inputs.map((input) => (isNode(input) ? current(input) : input)),
    );
    const instead = visit(fresh, build, node);
    // What goes is still somewhere: in the node that took its place.
    if (instead?.kind === 'op') for (const id of node.origins) instead.origins.add(id);
    now.set(node, instead ?? build.keep(fresh));
  }
  return {
    nodes: build.nodes,
    outputs: graph.outputs.map(current),
    returned: graph.returned,
    writes: graph.writes.map((w) => ({ target: current(w.target) as ExternalNode, value: current(w.value) })),
  };
}

/** For each node, the ops that read it. */
export function consumers(graph: Graph): Map<Node, OpNode[]> {
  const readers = new Map<Node, OpNode[]>();
  for (const node of graph.nodes) {
    if (node.kind !== 'op') continue;
    for (const input of new Set(nodeInputs(node))) {
      const list = readers.get(input);
      if (list) list.push(node);
      else readers.set(input, [node]);
    }
  }
  return readers;
}

/** Where a materialised node's elements lie: an argument's own layout, row-major for all that is computed. */
export function layoutOf(node: Node): Layout {
  return node.kind === 'external' ? node.layout : contiguous(node.meta.shape);
}
