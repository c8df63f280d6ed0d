/**
 * @file What a call of a plan has, by position: tensors from outside, results, memory between kernels, in this order. In: a
 * plan. Out: what each kernel binds, what is written and returned; all that calls would otherwise look up each time.
 */
import { invariant } from '../errors.ts';
import type { ExternalNode, Node } from '../ir/graph.ts';
import { bytesOf } from '../passes/memory.ts';
import type { DType } from '../tensor/dtype.ts';
import { contiguous, type Layout } from '../tensor/layout.ts';
import { formOf } from '../tensor/tensor.ts';
import type { Plan } from './compile.ts';
import type { Place } from './places.ts';

type Position = number;

/** How a tensor is to look. */
interface Look {
  readonly dtype: DType;
  readonly layout: Layout;
  readonly form: number;
}

export interface Frame {
  readonly outside: readonly ExternalNode[];
  readonly results: readonly Look[];
  /** All that kernels bind, each once. */
  readonly bound: readonly Position[];
  /** For each kernel, where its bindings stand in `bound`. */
  readonly bindings: readonly (readonly number[])[];
  readonly outputs: readonly (Look & { readonly of: Position })[];
  /** Tensors from outside that are written; those without `from` are by the kernels. */
  readonly writes: readonly { readonly target: Position; readonly from?: Position; readonly bytes: number }[];
  /** Results that are only written somewhere. */
  readonly passing: readonly Position[];
}

export function frameOf({ recorded, results, fusion: { graph }, kernels, inPlace }: Plan): Frame {
  // Passes may have computed some.
  const outside = [...new Set([...recorded.nodes, ...graph.nodes])].filter((node) => node.kind === 'external');
  const count = outside.length + results.length;
  // A tensor from outside that is a result, too, is two tensors of a call.
  const outsideAt = (node: ExternalNode): Position => known(outside.indexOf(node));
  const resultAt = (node: Node | undefined): Position => outside.length + known(node ? results.indexOf(node) : -1);
  const positionAt = (place: Place): Position => {
    if (place.kind === 'slot') return count + place.slot;
    return place.kind === 'external' ? outsideAt(place.node) : outside.length + place.result;
  };
  const places = kernels.map((k) => k.kernel.storages.map(positionAt));
  const bound = [...new Set(places.flat())];
  const index = new Map(bound.map((at, i) => [at, i]));
  const outputs = invariant(graph.returned, 'the graph says what is returned').map(({ of, layout }) => {
    const node = invariant(typeof of === 'number' ? graph.outputs[of] : of, 'an output of the graph');
    return { of: typeof of === 'number' ? resultAt(node) : outsideAt(of), ...look(node, layout) };
  });
  const returned = new Set(outputs.map((o) => o.of));
  return {
    outside,
    results: results.map((node) => look(node, contiguous(node.meta.shape))),
    bound,
    bindings: places.map((list) => list.map((at) => index.get(at) ?? at)),
    outputs,
    writes: graph.writes.map(({ target, value }) => ({
      target: outsideAt(target),
      from: inPlace.has(value) ? undefined : resultAt(value),
      bytes: bytesOf(value),
    })),
    passing: results.map(resultAt).filter((at) => !returned.has(at)),
  };
}

function look({ meta: { dtype } }: Node, layout: Layout): Look {
  return { dtype, layout, form: formOf(dtype, layout) };
}

function known(at: number): number {
  return invariant(at >= 0 && { at }, 'a tensor of a call has a position').at;
}
