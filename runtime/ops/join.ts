/** @file Tensors laid side by side. In: a list of tensors of one dtype. Out: one tensor that holds them all. */
import { JitLensError } from '../errors.ts';
import { broadcastShapes, formatShape, normalizeDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, op, type Op } from './define.ts';
import { shapeOf, type JoinSpec } from './spec.ts';

export const catSpec: JoinSpec = {
  kind: 'join',
  name: 'cat',
  samples: [],
  tolerance: { relative: 0, absolute: 0 },
  onnx: 'Concat',
  flops: () => 0,
  infer(inputs, attributes) {
    const dim = attributes['dim'] as number;
    const shapes = inputs.map(shapeOf);
    const [first = []] = shapes;
    const fits = shapes.every((s) => s.length === first.length && s.every((size, d) => d === dim || size === first[d]));
    if (!fits || first.length === 0) {
      throw new JitLensError(
        'JL410',
        `cat: shapes ${shapes.map(formatShape).join(', ')} do not join along dim ${dim}`,
        'They must have the same dims, of the same sizes but for the joined one. stack() joins 0-d tensors.',
      );
    }
    const total = shapes.reduce((n, s) => n + (s[dim] ?? 0), 0);
    const [input] = inputs;
    return {
      shape: first.map((size, d) => (d === dim ? total : size)),
      dtype: typeof input === 'object' ? input.dtype : 'float32',
    };
  },
};

function needTensors(tensors: readonly Tensor[], name: string): Tensor {
  const given: unknown = tensors;
  if (!Array.isArray(given))
    throw new JitLensError('JLT-OPERAND', `${name} joins a list of tensors`, `Write ${name}([a, b], dim).`);
  const [first] = tensors;
  if (!first) throw new JitLensError('JLT-EMPTY', `${name}: the list of tensors is empty`, 'Give at least one tensor.');
  const odd = tensors.find((x) => x.dtype !== first.dtype);
  if (odd)
    throw new JitLensError('JLT-DTYPE', `${name}: ${first.dtype} and ${odd.dtype} do not join`, 'Convert them to one dtype.');
  return first;
}

/** Tensors laid end to end along `dim` (0). */
export const cat: Op<[tensors: readonly Tensor[], dim?: number]> = op(
  {
    name: 'cat',
    spec: catSpec,
    samples: ['(f32[2,3],f32[4,3])', '(f32[2,3],f32[2,1],f32[2,2]) 1', '(i32[3],i32[2])'],
    tolerance: catSpec.tolerance,
    domain: [-2, 2],
    grad: (g, _out, tensors, dim = 0) => {
      let start = 0;
      return tensors.map((x) => g.slice(dim, start, (start += x.size(dim))));
    },
  },
  (tensors, dim = 0) => apply(catSpec, tensors, { dim: normalizeDim(dim, needTensors(tensors, 'cat').rank, 'cat') }),
);

/** Tensors of one shape laid along a new dim `dim` (0). */
export const stack: Op<[tensors: readonly Tensor[], dim?: number]> = composite({
  name: 'stack',
  expand: (tensors, dim = 0) => {
    needTensors(tensors, 'stack');
    broadcastShapes(
      tensors.map((x) => x.shape),
      'stack',
    );
    return cat(
      tensors.map((x) => x.unsqueeze(dim)),
      dim,
    );
  },
  samples: ['(f32[3],f32[3])', '(f32[],f32[],f32[])', '(f32[2,3],f32[2,3]) -1'],
});
