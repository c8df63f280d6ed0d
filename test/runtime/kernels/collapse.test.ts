/** Which axes of a kernel become one: those whose positions follow each other in every tensor of it. */
import { describe, expect, test } from 'vitest';
import { rand, type Tensor } from 'jitlens';
import { lower } from '../../../runtime/kernels/lower.ts';
import { rewritten } from '../../../runtime/kernels/schedule.ts';
import { everyExpr } from '../../../runtime/kernels/axes.ts';
import { fuse } from '../../../runtime/passes/fuse.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { onReference } from '../support/devices.ts';
import { onlyTrace, traceOf } from '../support/traces.ts';

/** Extents of the only kernel's axes, and of its sums' axes. */
function extents(fn: (...xs: Tensor[]) => Tensor, shapes: readonly (readonly number[])[]): number[][] {
  return onReference(() => {
    const [first, ...rest] = shapes.map((s) => rand(s));
    if (!first) throw new Error('no inputs');
    const { graph } = optimise(onlyTrace(traceOf(fn, [first, ...rest])).recorded);
    const [group] = fuse(graph, { maxStorageBuffers: 8 }).groups;
    if (!group) throw new Error('no kernels');
    const nest = rewritten(lower(group).nest);
    const sums = everyExpr(nest).flatMap((e) => (e.kind === 'reduce' ? [e.axes] : []));
    return [nest.axes, ...sums].map((axes) => axes.map((a) => a.extent));
  });
}

describe('axes', () => {
  test.each<[string, (...xs: Tensor[]) => Tensor, number[][], number[][]]>([
    [
      'of contiguous tensors are one',
      (x, y) => x.add(y),
      [
        [2, 3, 5],
        [2, 3, 5],
      ],
      [[30]],
    ],
    [
      'stay apart where one tensor is repeated along them',
      (x, y) => x.add(y),
      [
        [2, 3, 5],
        [3, 5],
      ],
      [[2, 15]],
    ],
    [
      'stay apart where one tensor lies differently',
      (x, y) => x.add(y.transpose(0, 1)),
      [
        [2, 3, 5],
        [3, 2, 5],
      ],
      [[2, 3, 5]],
    ],
    ['stay apart where there is a gap', (x) => x.narrow(1, 0, 2).exp(), [[4, 3, 5]], [[4, 10]]],
    [
      'of the rows of a product are one',
      (x, y) => x.matmul(y),
      [
        [2, 3, 5],
        [5, 7],
      ],
      [[6, 7], [5]],
    ],
    ['of a sum are one', (x) => x.exp().sum({ dim: [1, 2] }), [[4, 3, 5]], [[4], [15]]],
    [
      'of a sum stay apart where a factor has a gap',
      (x, y) => x.mul(y).sum({ dim: [1, 2] }),
      [
        [4, 3, 5],
        [4, 3, 1],
      ],
      [[4], [3, 5]],
    ],
  ])('%s', (_, fn, shapes, wanted) => {
    expect(extents(fn, shapes)).toEqual(wanted);
  });
});
