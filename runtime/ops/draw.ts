/**
 * @file Choices at random. In: probabilities, or how many there are. Out: places, int32. They are made of uniform numbers, sorts
 * and searches, so they are the same on every device and are drawn anew by every call of a trace.
 */
import { JitLensError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { op, type Op } from './define.ts';
import { uniform, words } from './random.ts';
import { noGrad } from './tape.ts';

const CHANCE = { samples: [], tolerance: { relative: 0, absolute: 0 }, domain: [0, 1] as const };

/** 1 with the probability that each element says, else 0; float32. */
export const bernoulli: Op<[probabilities: Tensor]> = op(
  { ...CHANCE, name: 'bernoulli', samples: ['bool[3,5]', 'bool[]'] },
  (probabilities) => noGrad(() => uniform(probabilities.shape).lt(probabilities).to('float32')),
);

/**
 * `count` places for each row of weights [..., categories], each with a chance in proportion to its weight; no place twice
 * unless `replacement`. Where too few weights are above 0, places of weight 0 come last.
 */
export const multinomial: Op<[weights: Tensor, count: number, replacement?: boolean]> = op(
  { ...CHANCE, name: 'multinomial', samples: ['bool[3,1] 1', 'i32[1] 4 true'] },
  (weights, count, replacement = false) => {
    const categories = weights.rank > 0 ? weights.size(-1) : 0;
    if (categories === 0 || !Number.isInteger(count) || count < 1 || (!replacement && count > categories)) {
      throw new JitLensError(
        'JLT-RANGE',
        `multinomial: ${count} of ${categories} categories, for weights of shape ${formatShape(weights.shape)}`,
        'Draw a whole number from 1; without replacement not more than there are categories.',
      );
    }
    const rows = weights.shape.slice(0, -1);
    return noGrad(() => {
      const shares = weights.to('float32');
      if (replacement) {
        const upTo = shares.cumsum(-1);
        const drawn = uniform([...rows, count]).mul(upTo.slice(-1, categories - 1));
        return upTo.searchsorted(drawn, { right: true }).clamp(undefined, categories - 1);
      }
      // The first of exponential waiting times come with chances in proportion to their rates (Efraimidis and Spirakis, 2006).
      const waits = uniform([...rows, categories])
        .neg()
        .log1p()
        .neg()
        .div(shares);
      return shares.gt(0).where(waits, Infinity).topk(count, -1, false).indices;
    });
  },
);

/** The whole numbers from 0 to below `count` in random order, int32. Ties between 32-bit words keep their order. */
export function shuffled(count: number): Tensor {
  return noGrad(() => words([count]).argsort());
}
