/**
 * @file A long sum in parts, which only graphs have. In: a contraction's spec. Out: the contraction whose results are sums of
 * parts of what the given one adds up, along a new first dim. Only what they add up to is defined: a device that computes no
 * parts gives the whole as the first of them.
 */
import { invariant } from '../errors.ts';
import { condition, constant, plus, times } from '../tensor/affine.ts';
import { numel } from '../tensor/shape.ts';
import { wrapper } from './many.ts';
import type { Attributes, ContractSpec, Meta, Source } from './spec.ts';

export interface Parts {
  /** Which of the summed dims is cut. */
  readonly along: number;
  readonly parts: number;
  /** Places of that dim in one part; the last may have fewer. */
  readonly each: number;
}

const partsOf = (attributes: Attributes): Parts => attributes as unknown as Parts;
const whole = ({ shape, dtype }: Meta): Meta => ({ shape: shape.slice(1), dtype });

/** Its attributes are those of `op` and `Parts`. */
export const inParts: (op: ContractSpec) => ContractSpec = wrapper('parts_of', (op) => ({
  infer(inputs, attributes) {
    const { shape, dtype } = op.infer(inputs, attributes);
    return { shape: [partsOf(attributes).parts, ...shape], dtype };
  },
  flops: (inputs, attributes, out) => op.flops(inputs, attributes, whole(out)),
  extents(inputs, attributes) {
    const { along, each } = partsOf(attributes);
    return op.extents(inputs, attributes).map((extent, d) => (d === along ? each : extent));
  },
  sources([part = constant(0), ...own], summed, inputs, attributes) {
    const { along, each } = partsOf(attributes);
    const place = plus(times(part, each), summed[along] ?? constant(0));
    const all = summed.map((index, d) => (d === along ? place : index));
    const test = { index: place, lo: 0, hi: op.extents(inputs, attributes)[along] ?? 1 };
    return op.sources(own, all, inputs, attributes).map((source) => within(source, test));
  },
  reference(inputs, attributes, out) {
    const parts = new Float64Array(numel(out.shape));
    parts.set(op.reference(inputs, attributes, whole(out)));
    return parts;
  },
}));

type Test = Exclude<Source['inside'], 'never' | undefined>['tests'][number];

/** The source, and 0 where the test fails too. */
function within(source: Source, test: Test): Source {
  if (source.inside === 'never') return source;
  invariant(!source.otherwise, 'a product is 0 where it reads nothing');
  return { ...source, inside: condition([...(source.inside?.tests ?? []), test]), otherwise: 0 };
}
