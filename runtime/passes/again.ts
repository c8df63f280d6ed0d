/**
 * @file Recomputation against saving: what several kernels read, and is made element by element of what they could read instead.
 * In: a node and how many kernels read it. Out: whether each computes it again, because that moves fewer bytes than to store it and
 * read it back. So the backward half of a step saves what is small or stored anyway, and not what was made of it.
 */
import { nodeInputs, type Node, type OpNode } from '../ir/graph.ts';
import { dtypes } from '../tensor/dtype.ts';
import { numel } from '../tensor/shape.ts';
import { flopsOf } from './cost.ts';
import { CHEAP_REPEATS, madeOfSum } from './sums.ts';

/** Nodes that are looked at, and operations of an element that take no longer than to read one. */
const MOST_NODES = 24;
const MOST_FLOPS = 48;

/** `demand` says for how many positions each kernel would compute it, `isKept` of another node that it is stored in any case. */
export function isCheaperAgain(node: OpNode, demand: ReadonlyMap<OpNode, number>, isKept: (n: OpNode) => boolean): boolean {
  const size = numel(node.meta.shape);
  if (node.op.kind !== 'elementwise' || Math.max(...demand.values()) > size) return false;
  // What each of many positions would compute is stored, unless it may be one of a row.
  const isSpread = (n: OpNode) => n.op.kind === 'elementwise' && numel(n.meta.shape) * CHEAP_REPEATS < size && !madeOfSum(n);
  const isStored = (n: Node) => n.kind === 'external' || isKept(n) || isSpread(n);
  const again = new Set<OpNode>([node]);
  const leaves = new Map<Node, number>();
  let flops = 0;
  for (const n of again) {
    if (again.size > MOST_NODES) return false;
    flops += flopsOf(n) / size;
    for (const x of nodeInputs(n)) {
      if (isOfElements(x) && !isStored(x)) again.add(x);
      else leaves.set(x, Math.max(leaves.get(x) ?? 0, Math.min(bytesOf(x), numel(n.meta.shape) * dtypes[x.meta.dtype].bytes)));
    }
  }
  if (flops > MOST_FLOPS) return false;
  const kernels = demand.size;
  let [stored, computed] = [(kernels + 1) * bytesOf(node), 0];
  for (const [x, bytes] of leaves) {
    computed += kernels * bytes;
    if (isStored(x)) stored += bytes;
    // It would be stored for this, by a kernel of its own.
    else computed += bytesOf(x) + nodeInputs(x).reduce((sum, input) => sum + bytesOf(input), 0);
  }
  return computed < stored;
}

/** Each element of it is made of a few others. */
const isOfElements = (x: Node): x is OpNode => x.kind === 'op' && ['elementwise', 'move', 'create'].includes(x.op.kind);

const bytesOf = ({ meta }: Node): number => numel(meta.shape) * dtypes[meta.dtype].bytes;
