/** @file Attention. In: queries, keys and values. Out: for each query the values, mixed as its keys match. */
import { JitLensError } from '../errors.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, type Op } from './define.ts';
import { fullSpec } from './write.ts';

export interface AttentionOptions {
  /** Broadcasts against [.., queries, keys]: bool, true where a query sees a key; or numbers added to how well they match. */
  readonly attnMask?: Tensor;
  /** The share of matches that is dropped; draws also outside training. Default 0. */
  readonly dropoutP?: number;
  /** A query sees the keys up to its own place. Not with `attnMask`. */
  readonly isCausal?: boolean;
  /** What products are multiplied by. Default 1 / √features. */
  readonly scale?: number;
}

/** So low that nothing is left of it beside any match, and yet a number: rows that see nothing stay numbers too. */
const UNSEEN = -3e38;

/**
 * softmax(query · keyᵀ · scale) · value: query [.., L, E], key [.., S, E], value [.., S, V] give [.., L, V]. A query that
 * sees no key gets zeros.
 */
export const scaledDotProductAttention: Op<[query: Tensor, key: Tensor, value: Tensor, options?: AttentionOptions]> = composite({
  name: 'scaledDotProductAttention',
  expand: (query, key, value, { attnMask, dropoutP = 0, isCausal = false, scale } = {}) => {
    if (query.rank < 2 || key.rank < 2 || value.rank < 2 || (attnMask && isCausal)) {
      throw new JitLensError(
        'JL410',
        `scaledDotProductAttention of ${[query, key, value].map((x) => formatShape(x.shape)).join(', ')}${attnMask && isCausal ? ' with a mask and isCausal' : ''}`,
        'Each is [.., places, features]; give attnMask or isCausal, not both.',
      );
    }
    const matches = query.mul(scale ?? 1 / Math.sqrt(query.size(-1))).matmul(key.transpose(-1, -2));
    const sees = attnMask?.dtype === 'bool' ? attnMask : isCausal ? upToOwnPlace(query.size(-2), key.size(-2)) : undefined;
    const masked = sees ? sees.where(matches, UNSEEN) : attnMask ? matches.add(attnMask) : matches;
    const shares = masked.softmax(-1);
    const seen = sees && !isCausal ? sees.where(shares, 0) : shares;
    return (dropoutP > 0 ? seen.dropout(dropoutP, true) : seen).matmul(value);
  },
  tolerance: { relative: 2e-5, absolute: 2e-5 },
  domain: [-1, 1],
  samples: [
    'f32[2,3,4] f32[2,5,4] f32[2,5,6]',
    'f32[2,2,5,4] f32[2,2,5,4] f32[2,2,5,4] {"isCausal":true}',
    'f32[3,4] f32[5,4] f32[5,2] {"scale":0.5}',
  ],
});

function upToOwnPlace(queries: number, keys: number): Tensor {
  return apply(fullSpec, [], { shape: [queries, keys], value: 1, dtype: 'bool' }).tril();
}
