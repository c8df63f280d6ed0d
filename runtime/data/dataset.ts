/** @file Data sets: samples by number. In: tensors, or other data sets. Out: one sample, or several at once where that is cheaper. */
import { JitLensError } from '../errors.ts';
import { initialSeed } from '../ops/random.ts';
import { fromArray } from '../tensor/create.ts';
import { HostGenerator } from '../tensor/random.ts';
import { formatShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface Dataset<T> {
  /** Number of samples. */
  readonly length: number;
  /** Sample `index`, from 0. */
  get(index: number): T | Promise<T>;
}

/** A data set that can give many samples as one batch, collated already. */
export interface BatchedDataset<T, B> extends Dataset<T> {
  getBatch(indices: Uint32Array): B | Promise<B>;
}

export function isBatched<T, B>(dataset: Dataset<T>): dataset is BatchedDataset<T, B> {
  return 'getBatch' in dataset;
}

/** Sample i is row i of every tensor. */
export class TensorDataset<T extends Tensor[] = Tensor[]> implements BatchedDataset<T, T> {
  readonly length: number;
  private readonly tensors: T;

  constructor(...tensors: T) {
    const lengths = new Set(tensors.map((x) => x.shape[0]));
    const [length] = lengths;
    if (lengths.size !== 1 || length === undefined) {
      throw new JitLensError(
        'JLT-DATA',
        `TensorDataset: tensors of shapes ${tensors.map((x) => formatShape(x.shape)).join(', ') || 'none'}`,
        'All have one size in dim 0, which counts the samples.',
      );
    }
    this.length = length;
    this.tensors = tensors;
  }

  get(index: number): T {
    return this.tensors.map((x) => x.select(0, index)) as T;
  }

  getBatch(indices: Uint32Array): T {
    const places = fromArray(indices);
    return this.tensors.map((x) => x.indexSelect(0, places)) as T;
  }
}

/** Some samples of a data set, in the order given. */
export class Subset<T> implements Dataset<T> {
  readonly length: number;

  constructor(
    readonly dataset: Dataset<T>,
    readonly indices: Uint32Array,
  ) {
    this.length = indices.length;
  }

  get(index: number): T | Promise<T> {
    return this.dataset.get(this.placeOf(index));
  }

  placeOf(index: number): number {
    const place = this.indices[index];
    if (place !== undefined) return place;
    throw new JitLensError('JLT-RANGE', `sample ${index} of ${this.length}`, 'Samples count from 0.');
  }
}

/** A subset of a data set that gives batches gives batches too. */
class BatchedSubset<T, B> extends Subset<T> implements BatchedDataset<T, B> {
  constructor(
    private readonly whole: BatchedDataset<T, B>,
    indices: Uint32Array,
  ) {
    super(whole, indices);
  }

  getBatch(indices: Uint32Array): B | Promise<B> {
    return this.whole.getBatch(indices.map((i) => this.placeOf(i)));
  }
}

export interface SeedOption {
  /** Where the order starts from; that of `manualSeed` when it is left out. */
  readonly seed?: number;
}

/** Parts of a data set at random: of these lengths, or of these shares, which then add up to 1. */
export function randomSplit<T>(dataset: Dataset<T>, lengths: readonly number[], options: SeedOption = {}): Subset<T>[] {
  const counts = countsOf(dataset.length, lengths);
  const order = new HostGenerator(options.seed ?? initialSeed()).permutation(dataset.length);
  let start = 0;
  return counts.map((count) => {
    const part = order.slice(start, (start += count));
    return isBatched(dataset) ? new BatchedSubset(dataset, part) : new Subset(dataset, part);
  });
}

function countsOf(total: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  const valid = lengths.every((n) => n >= 0);
  if (valid && sum === total && lengths.every(Number.isInteger)) return [...lengths];
  if (!valid || Math.abs(sum - 1) > 1e-9) {
    throw new JitLensError(
      'JLT-DATA',
      `randomSplit: ${lengths.join(' + ')} is not ${total}`,
      'Give lengths that add up to that of the data set, or shares that add up to 1.',
    );
  }
  const counts = lengths.map((share) => Math.floor(total * share));
  const rest = total - counts.reduce((a, b) => a + b, 0);
  return counts.map((count, i) => (i < rest ? count + 1 : count));
}
