/** @file Contractions that are worth putting together. In: a node. Out: whether it is one, and what it has in common with others. */
import { isNode, nodeInputs, type Node, type OpNode } from '../ir/graph.ts';
import { isMade } from '../ops/many.ts';
import { REUSE } from '../ops/long-sums.ts';
import { formatAttributes, type ContractSpec } from '../ops/spec.ts';
import { numel } from '../tensor/shape.ts';
import { termsOf } from './sums.ts';

export type Contraction = OpNode & { readonly op: ContractSpec };

/** Fewer stay as they are. */
export const FEWEST = 4;

/** A sum of products of elements of tensors. */
export function isContraction(node: Node): node is Contraction {
  if (node.kind !== 'op' || node.op.kind !== 'contract' || node.op.term || node.op.fold) return false;
  return node.inputs.every((x) => isNode(x) && x.meta.shape.length > 0);
}

/** A contraction that was not made of others. */
export function isProduct(node: Node): node is Contraction {
  return isContraction(node) && !isMade(node.op);
}

/** Whether the elements of the tensor, an operand or the result, are used often for what it costs to move them. */
export function isReused(tensor: Node, by: Contraction): boolean {
  const size = numel(tensor.meta.shape);
  return size > 0 && size * REUSE <= numel(by.meta.shape) * termsOf(by);
}

/** Nodes of one form do the same with operands of the same shapes. */
export function formOf(node: OpNode): string {
  const operands = nodeInputs(node).map((x) => `${x.meta.dtype}[${x.meta.shape.join()}]`);
  return `${node.op.name}(${operands.join()}) ${formatAttributes(node.attributes)}`;
}
