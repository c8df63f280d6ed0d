/**
 * @file A long sum in parts, which only graphs have. In: a contraction's spec. Out: the contraction whose results are sums of
 * parts of what the given one adds up, along a new first dim. Only what they add up to is defined: a device that computes no
 * parts gives the whole as the first of them.
 */
import { invariant } from '../errors.ts';
import { condition, constant, plus, times, type Index } from '../tensor/affine.ts';
import { numel } from '../tensor/shape.ts';
import type { Parts } from './long-sums.ts';
import { wrapper } from './many.ts';
import { sum } from './reduce.ts';
import type { Attributes, ContractSpec, Meta, OpSpec, Source } from './spec.ts';

/** What folds the parts at last. */
export const lastOf = (op: ContractSpec): OpSpec => op.fold ?? invariant(sum.entry.spec, 'a sum has a kernel');

const cutOf = (attributes: Attributes): Parts => attributes as unknown as Parts;
const whole = ({ shape, dtype }: Meta): Meta => ({ shape: shape.slice(1), dtype });

/** Its attributes are those of `op` and `Parts`. */
export const inParts: (op: ContractSpec) => ContractSpec = wrapper('parts_of', (op) => ({
  infer(inputs, attributes) {
    const { shape, dtype } = op.infer(inputs, attributes);
    return { shape: [cutOf(attributes).parts, ...shape], dtype };
  },
  flops: (inputs, attributes, out) => op.flops(inputs, attributes, whole(out)),
  extents(inputs, attributes) {
    const { along, each } = cutOf(attributes);
    return op.extents(inputs, attributes).map((extent, d) => (d === along ? each : extent));
  },
  sources([part, ...own], summed, inputs, attributes) {
    const { along } = cutOf(attributes);
    const all = placesIn(part, summed, attributes);
    const test = { index: all[along] ?? constant(0), lo: 0, hi: op.extents(inputs, attributes)[along] ?? 1 };
    return op.sources(own, all, inputs, attributes).map((source) => within(source, test));
  },
  term: op.term && {
    element: op.term.element,
    places: ([part, ...own], summed, inputs, attributes) =>
      op.term?.places(own, placesIn(part, summed, attributes), inputs, attributes) ?? [],
  },
  reference(inputs, attributes, out) {
    const parts = new Float64Array(numel(out.shape)).fill(op.fold?.identity(out.dtype) ?? 0);
    parts.set(op.reference(inputs, attributes, whole(out)));
    return parts;
  },
}));

/** Places of the whole sum, of those in a part. */
function placesIn(part: Index | undefined, summed: readonly Index[], attributes: Attributes): Index[] {
  const { along, each } = cutOf(attributes);
  return summed.map((index, d) => (d === along ? plus(times(part ?? constant(0), each), index) : index));
}

type Test = Exclude<Source['inside'], 'never' | undefined>['tests'][number];

/** The source, and 0 where the test fails too. */
function within(source: Source, test: Test): Source {
  if (source.inside === 'never') return source;
  invariant(!source.otherwise, 'a product is 0 where it reads nothing');
  return { ...source, inside: condition([...(source.inside?.tests ?? []), test]), otherwise: 0 };
}
