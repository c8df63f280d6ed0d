/**
 * @file A long sum in parts, which only graphs have. In: a contraction's spec. Out: the contraction whose results are sums of
 * parts of what the given one adds up, along a new first dim. Only what they add up to is defined: a device that computes no
 * parts gives the whole as the first of them.
 */
import { invariant } from '../errors.ts';
import { condition, constant, plus, times, type Index } from '../tensor/affine.ts';
import { numel, type Shape } from '../tensor/shape.ts';
import { BUSY, evenParts, isLong } from './fold-parts.ts';
import { wrapper } from './many.ts';
import { sum } from './reduce.ts';
import type { Attributes, ContractSpec, Meta, OpSpec, Source } from './spec.ts';

export interface Parts {
  /** Which of the summed dims is cut. */
  readonly along: number;
  readonly parts: number;
  /** Places of that dim in one part; the last may have fewer. */
  readonly each: number;
}

/** So many terms of a product are added up one by one: of more, rounding errors would show. */
const ONE_PIECE = 512;

/** The parts that a long sum of few positions is cut in; undefined where it stays whole, as what is no product does where no even parts make it up. */
export function partsOfLong(
  op: ContractSpec,
  inputs: readonly Shape[],
  attributes: Attributes,
  positions: number,
): Parts | undefined {
  const extents = op.extents(inputs, attributes);
  if (!isLong(positions, numel(extents))) return undefined;
  const parts = alongOne(extents, Math.min(BUSY, Math.floor(numel(extents) / ONE_PIECE)));
  const isProduct = !op.term && !op.fold;
  return parts && (isProduct || parts.parts * parts.each === extents[parts.along]) ? parts : undefined;
}

/** The outermost dim that gives about as many: what is next to each other in memory stays in one part. */
export function alongOne(extents: readonly number[], wanted: number): Parts | undefined {
  const cuts = extents.map((extent, along) => ({ along, ...evenParts(extent, wanted) }));
  const most = Math.max(...cuts.map((c) => c.parts));
  return cuts.find((c) => c.parts * 2 > Math.min(most, wanted) && c.parts > 1);
}

/** What folds the parts at last. */
export const lastOf = (op: ContractSpec): OpSpec => op.fold ?? invariant(sum.entry.spec, 'a sum has a kernel');

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
  sources([part, ...own], summed, inputs, attributes) {
    const { along } = partsOf(attributes);
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
  const { along, each } = partsOf(attributes);
  return summed.map((index, d) => (d === along ? plus(times(part ?? constant(0), each), index) : index));
}

type Test = Exclude<Source['inside'], 'never' | undefined>['tests'][number];

/** The source, and 0 where the test fails too. */
function within(source: Source, test: Test): Source {
  if (source.inside === 'never') return source;
  invariant(!source.otherwise, 'a product is 0 where it reads nothing');
  return { ...source, inside: condition([...(source.inside?.tests ?? []), test]), otherwise: 0 };
}
