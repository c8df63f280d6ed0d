/**
 * @file Means, and sums of squared distances from them, of rows that are too long for the threads of a workgroup to keep. In: a
 * functional graph. Out: both are taken of parts that are kept, each with the distances from its own mean, and put together:
 * Σ (e − m)² is, over parts of n elements with mean mₚ, Σ ( Σ (e − mₚ)² + n (mₚ − m)² ). So e is read once, where m had to be known
 * before; and as nothing cancels, the sum is as accurate as it was. The formula is that of Chan, Golub and LeVeque, Updating
 * formulae and a pairwise algorithm for computing sample variances (1979).
 */
import {
  consumers,
  nodeInputs,
  rewrite,
  type Graph,
  type GraphBuilder,
  type Node,
  type NodeInput,
  type OpNode,
} from '../ir/graph.ts';
import { addedUp, addition, choice, difference, equality, product, quotient, squared } from '../kernels/arithmetic.ts';
import type { Attributes, OpSpec } from '../ops/spec.ts';
import { layoutAttributes, stridedSpec } from '../ops/write.ts';
import { contiguous } from '../tensor/layout.ts';
import { numel, sameShape, type Shape } from '../tensor/shape.ts';
import { definePass } from './define.ts';
import { cutOf, type Cut } from './row-parts.ts';
import { spreadOf, type Spread } from './spreads.ts';
import { onTheWay } from './sums.ts';

interface Parts {
  readonly cut: Cut;
  readonly sums: Node;
  readonly squares: Node;
}

export const splitVariances = definePass({
  name: 'split-variances',
  doc: 'A mean and the squared distances from it are taken of parts, and put together: so what they are of is read once.',
  example: {
    code: '(x) => x.var({ dim: 1 })',
    shapes: [[4, 131072]],
  },
  requires: ['functional'],
  run(graph) {
    const spreads = spreadsOf(graph);
    if (spreads.size === 0) return graph;
    const sums = new Map<Node, { readonly node: OpNode; readonly cut: Cut }>([...spreads.values()].map((s) => [s.sum, s]));
    const made = new Map<Node, Parts>();
    return rewrite(graph, (node, build, before) => {
      const make = new Maker(build, node);
      const [of, spread, [x]] = [sums.get(before), spreads.get(before), nodeInputs(node)];
      const known = spread && made.get(spread.sum);
      if (known) return spreadIn(known, make, node.meta.shape);
      if (!of || !x) return undefined;
      const parts = partsOf(x, of.cut, make, new Maker(build, of.node));
      made.set(before, parts);
      return make.seen(make.sum(parts.sums, of.cut.parts), node.meta.shape);
    });
  },
});

function spreadsOf(graph: Graph): ReadonlyMap<Node, Spread & { readonly node: OpNode; readonly cut: Cut }> {
  const readers = consumers(graph);
  const outside = new Set([...graph.outputs, ...graph.writes.map((w) => w.value)]);
  /** Whether the means, or what is made of them alone, are asked for outside. */
  const isKept = ({ sum, of }: Spread): boolean => {
    const isFew = (n: Node) => numel(n.meta.shape) < numel(of.meta.shape);
    return [sum, ...onTheWay(sum, readers, isFew)].some((n) => isFew(n) && outside.has(n));
  };
  const found = graph.nodes.flatMap((node) => {
    const spread = node.kind === 'op' ? spreadOf(node) : undefined;
    const cut = spread && cutOf(spread, isKept(spread));
    return node.kind === 'op' && cut ? [[node, { ...spread, node, cut }] as const] : [];
  });
  return new Map(found);
}

function partsOf(x: Node, cut: Cut, forSums: Maker, forSquares: Maker): Parts {
  const seen = forSums.seen(x, cut.shape);
  const sums = forSums.sum(seen, cut.within);
  const distances = forSquares.op(difference, seen, forSquares.op(quotient, sums, cut.each));
  return { cut, sums, squares: forSquares.sum(forSquares.op(squared, distances), cut.within) };
}

/** It does not wait for the mean that others read: a kernel may compute both. */
function spreadIn({ cut, sums, squares }: Parts, make: Maker, shape: Shape): Node {
  const { each, parts, count } = cut;
  const [own, mean] = [make.op(quotient, sums, each), make.op(quotient, make.sum(sums, parts), each * count)];
  // Both may be infinite, where a sum was too large: then the squares are, and stay so.
  const distance = make.op(choice, make.op(equality, own, mean), 0, make.op(difference, own, mean));
  const between = make.op(product, make.sum(make.op(squared, distance), parts), each);
  return make.op(addition, make.seen(make.sum(squares, parts), shape), make.seen(between, shape));
}

/** Makes nodes that stand for another. */
class Maker {
  constructor(
    private readonly build: GraphBuilder,
    private readonly as: OpNode,
  ) {}

  op(op: OpSpec, ...inputs: readonly NodeInput[]): Node {
    return this.node(op, inputs, {});
  }

  sum(x: Node, dims: readonly number[]): Node {
    return this.node(addedUp, [x], { dims, keepdim: true });
  }

  /** The same elements, in order, in another shape. */
  seen(x: Node, shape: Shape): Node {
    return sameShape(x.meta.shape, shape) ? x : this.node(stridedSpec, [x], layoutAttributes(contiguous(shape)));
  }

  private node(op: OpSpec, inputs: readonly NodeInput[], attributes: Attributes): Node {
    return this.build.op(op, inputs, attributes, { stack: this.as.stack, origins: this.as.origins });
  }
}
