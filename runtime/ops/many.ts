/**
 * @file Many contractions of one form as one, which only graphs have. In: a contraction's spec. Out: the same contraction done
 * for each place of a new first dim of some operands; the results lie along a new first dim, or are added up. It only reads
 * elsewhere what the given one reads, so fusion and kernels see nothing new.
 */
import { constant } from '../tensor/affine.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import type { Attributes, ContractSpec, HostView, Meta, OperandMeta } from './spec.ts';

export interface Many {
  /** Operands with the new dim; the others are the same for all. */
  readonly varying: readonly number[];
  readonly count: number;
  /** Whether the results are added up; else they lie along a new first dim. */
  readonly summed: boolean;
}

const manyOf = (attributes: Attributes): Many => attributes as unknown as Many;
const made = new Set<ContractSpec>();
const without = (shape: Shape): Shape => shape.slice(1);
/** Of one place of the new dim. */
const inner = ({ shape, dtype }: Meta): Meta => ({ shape: without(shape), dtype });

/** Whether the contraction was made of another. */
export function isMade(op: ContractSpec): boolean {
  return made.has(op);
}

/** One spec for each that is wrapped: what is known of a spec elsewhere is known by identity. */
export function wrapper(prefix: string, wrap: (op: ContractSpec) => Partial<ContractSpec>): (op: ContractSpec) => ContractSpec {
  const known = new WeakMap<ContractSpec, ContractSpec>();
  return (op) => {
    const spec = known.get(op) ?? { ...op, name: `${prefix}_${op.name}`, samples: [], onnx: undefined, ...wrap(op) };
    known.set(op, spec);
    made.add(spec);
    return spec;
  };
}

/** The contraction for each place of the operands' new dim; its attributes are those of `op` and `Many`. */
export const many: (op: ContractSpec) => ContractSpec = wrapper('many', (op) => {
  const each = (shapes: readonly Shape[], { varying }: Many) => shapes.map((s, i) => (varying.includes(i) ? without(s) : s));
  const eachMeta = (metas: readonly OperandMeta[], { varying }: Many) =>
    metas.map((m, i) => (typeof m === 'object' && varying.includes(i) ? inner(m) : m));
  return {
    infer(inputs, attributes) {
      const all = manyOf(attributes);
      const one = op.infer(eachMeta(inputs, all), attributes);
      return all.summed ? one : { ...one, shape: [all.count, ...one.shape] };
    },
    flops(inputs, attributes, out) {
      const all = manyOf(attributes);
      return all.count * op.flops(eachMeta(inputs, all), attributes, all.summed ? out : inner(out));
    },
    extents(inputs, attributes) {
      const all = manyOf(attributes);
      const extents = op.extents(each(inputs, all), attributes);
      return all.summed ? [all.count, ...extents] : extents;
    },
    sources(out, folded, inputs, attributes) {
      const all = manyOf(attributes);
      const [which = constant(0)] = all.summed ? folded : out;
      const own = all.summed ? out : out.slice(1);
      return op
        .sources(own, all.summed ? folded.slice(1) : folded, each(inputs, all), attributes)
        .map((s, i) => (all.varying.includes(i) ? { ...s, index: [which, ...s.index] } : s));
    },
    reference(inputs, attributes, out) {
      const all = manyOf(attributes);
      const one = all.summed ? out : inner(out);
      const result = new Float64Array(numel(out.shape));
      for (let n = 0; n < all.count; n++) {
        const views = inputs.map((x, i) => (all.varying.includes(i) ? place(x, n) : x));
        op.reference(views, attributes, one).forEach((value, i) => {
          const at = all.summed ? i : n * numel(one.shape) + i;
          result[at] = (result[at] ?? 0) + value;
        });
      }
      return result;
    },
  };
});

function place(x: HostView, n: number): HostView {
  const shape = without(x.shape);
  return { shape, data: x.data.subarray(n * numel(shape), (n + 1) * numel(shape)) };
}
