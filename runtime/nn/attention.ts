/**
 * @file Attention with several heads, and the encoder layer of a transformer (Vaswani et al., “Attention is all you need”,
 * 2017). In: sequences [time, batch, features], or [batch, time, features] with `batchFirst`. Out: sequences.
 */
import { JitLensError } from '../errors.ts';
import { zeros } from '../tensor/create.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Dropout } from './activations.ts';
import { xavierUniform_, zeros_ } from './init.ts';
import { Linear, type BiasOption } from './linear.ts';
import { Module, Parameter } from './module.ts';
import { LayerNorm } from './normalisation.ts';

export interface MultiheadAttentionOptions extends BiasOption {
  /** The share of matches that is dropped in training. Default 0. */
  readonly dropout?: number;
  /** Sequences come and go as [batch, time, …]. Default false. */
  readonly batchFirst?: boolean;
}

export interface MaskOptions {
  /** [queries, keys], or [batch · heads, queries, keys]: bool, true where a query may not look; or numbers added to how well they match. */
  readonly attnMask?: Tensor;
  /** bool [batch, keys]: true for keys that nobody may look at. */
  readonly keyPaddingMask?: Tensor;
  /** A query may look at the keys up to its own place. Not with `attnMask`. */
  readonly isCausal?: boolean;
}

export interface AttentionCallOptions extends MaskOptions {
  /** Gives the shares of the keys as well, [batch, queries, keys], as a mean over the heads. Default true. */
  readonly needWeights?: boolean;
}

/** So low that nothing is left of it beside any match, and yet a number. */
const UNSEEN = -3e38;

/** Looks for each query at the keys that match it, in `numHeads` ways at once. */
export class MultiheadAttention extends Module {
  /** Of queries, keys and values, one below the other: [3 · embedDim, embedDim]. */
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter | undefined;
  readonly outProj: Linear;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    private readonly options: MultiheadAttentionOptions = {},
  ) {
    super();
    if (embedDim % numHeads !== 0) {
      throw new JitLensError(
        'JLT-SHAPE',
        `MultiheadAttention: ${embedDim} features in ${numHeads} heads`,
        'Heads divide the features.',
      );
    }
    const { bias = true } = options;
    this.inProjWeight = new Parameter(xavierUniform_(zeros([3 * embedDim, embedDim])));
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : undefined;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias) zeros_(this.outProj.bias);
  }

  forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    call: AttentionCallOptions = {},
  ): [output: Tensor, weights: Tensor | undefined] {
    this.check(query, key, value);
    const { batchFirst = false, dropout = 0 } = this.options;
    const batched = query.rank === 3;
    const inside = (x: Tensor) => (!batched ? x.unsqueeze(0) : batchFirst ? x : x.transpose(0, 1));
    const [q, k, v] = [query, key, value].map((x, i) => this.heads(inside(x).linear(...this.projection(i))));
    if (!q || !k || !v) return [query, undefined];
    const dropoutP = this.training ? dropout : 0;
    const { mixed, weights } = attend(q, k, v, { ...call, dropoutP });
    const joined = this.outProj.forward(mixed.transpose(1, 2).flatten(2));
    const output = !batched ? joined.squeeze(0) : batchFirst ? joined : joined.transpose(0, 1);
    return [output, batched ? weights : weights?.squeeze(0)];
  }

  /** Weight and bias of queries (0), keys (1) or values (2). */
  private projection(which: number): [Tensor, Tensor | undefined] {
    const [start, length] = [which * this.embedDim, this.embedDim];
    return [this.inProjWeight.narrow(0, start, length), this.inProjBias?.narrow(0, start, length)];
  }

  /** [batch, time, features] as [batch, heads, time, features of one]. */
  private heads(x: Tensor): Tensor {
    return x.unflatten(2, [this.numHeads, -1]).transpose(1, 2);
  }

  private check(...inputs: readonly Tensor[]): void {
    const rank = inputs[0]?.rank;
    if (inputs.every((x) => x.rank === rank && (rank === 2 || rank === 3) && x.size(-1) === this.embedDim)) return;
    throw new JitLensError(
      'JL410',
      `MultiheadAttention of ${inputs.map((x) => formatShape(x.shape)).join(', ')}`,
      `Each has ${this.embedDim} features, and all have 3 dims, or 2 without a batch.`,
    );
  }
}

type Call = AttentionCallOptions & { readonly dropoutP: number };

function attend(q: Tensor, k: Tensor, v: Tensor, call: Call): { mixed: Tensor; weights: Tensor | undefined } {
  const { isCausal = false, needWeights = true, dropoutP } = call;
  const attnMask = maskOf(q, k, call);
  if (!needWeights) {
    const mixed = q.scaledDotProductAttention(k, v, { attnMask, isCausal: isCausal && !attnMask, dropoutP });
    return { mixed, weights: undefined };
  }
  const matches = q.mul(1 / Math.sqrt(q.size(-1))).matmul(k.transpose(-1, -2));
  const mask = attnMask ?? (isCausal ? causal(q, k) : undefined);
  const masked = !mask ? matches : mask.dtype === 'bool' ? mask.where(matches, UNSEEN) : matches.add(mask);
  const shares = masked.softmax(-1);
  // A query that sees nothing gets nothing.
  const seen = (mask?.dtype === 'bool' ? mask.where(shares, 0) : shares).dropout(dropoutP, dropoutP > 0);
  return { mixed: seen.matmul(v), weights: seen.mean({ dim: 1 }) };
}

function causal(q: Tensor, k: Tensor): Tensor {
  return zeros([q.size(-2), k.size(-2)], { dtype: 'bool' })
    .logicalNot()
    .tril();
}

/** The masks as one that broadcasts against [batch, heads, queries, keys]: bool, true where a query looks; or numbers to add. */
function maskOf(q: Tensor, k: Tensor, { attnMask, keyPaddingMask, isCausal = false }: MaskOptions): Tensor | undefined {
  if (attnMask && isCausal) {
    throw new JitLensError('JL410', 'MultiheadAttention with attnMask and isCausal', 'Give one of them.');
  }
  const heads = attnMask?.rank === 3 ? attnMask.view([q.size(0), q.size(1), q.size(2), k.size(2)]) : attnMask;
  if (!keyPaddingMask) return heads?.dtype === 'bool' ? heads.logicalNot() : heads;
  const seen = keyPaddingMask.logicalNot().view([-1, 1, 1, k.size(2)]);
  if (isCausal) return seen.logicalAnd(causal(q, k));
  if (!heads) return seen;
  return heads.dtype === 'bool' ? seen.logicalAnd(heads.logicalNot()) : seen.where(heads, UNSEEN);
}

export interface TransformerEncoderLayerOptions extends BiasOption {
  /** Features between the two linear layers. Default 2048. */
  readonly dimFeedforward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Default relu. */
  readonly activation?: 'relu' | 'gelu';
  /** Default 1e-5. */
  readonly layerNormEps?: number;
  readonly batchFirst?: boolean;
  /** Normalises before attention and linear layers, not after what they are added to. Default false. */
  readonly normFirst?: boolean;
}

/** Self-attention, then two linear layers for each place; both are added to what they are computed from, and normalised. */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;

  constructor(
    dModel: number,
    nhead: number,
    private readonly options: TransformerEncoderLayerOptions = {},
  ) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps, batchFirst, bias = true } = options;
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    [this.norm1, this.norm2] = [new LayerNorm(dModel, { eps, bias }), new LayerNorm(dModel, { eps, bias })];
    [this.dropout, this.dropout1, this.dropout2] = [new Dropout(dropout), new Dropout(dropout), new Dropout(dropout)];
  }

  forward(x: Tensor, masks: MaskOptions = {}): Tensor {
    if (this.options.normFirst) {
      const y = x.add(this.attend(this.norm1.forward(x), masks));
      return y.add(this.feedForward(this.norm2.forward(y)));
    }
    const y = this.norm1.forward(x.add(this.attend(x, masks)));
    return this.norm2.forward(y.add(this.feedForward(y)));
  }

  private attend(x: Tensor, masks: MaskOptions): Tensor {
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, { ...masks, needWeights: false })[0]);
  }

  private feedForward(x: Tensor): Tensor {
    const inner = this.linear1.forward(x);
    const active = this.options.activation === 'gelu' ? inner.gelu() : inner.relu();
    return this.dropout2.forward(this.linear2.forward(this.dropout.forward(active)));
  }
}
