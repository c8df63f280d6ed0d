/**
 * @file Batches of a data set, for `for await`. In: a data set. Out: batches in order or shuffled anew for each loop; while one
 * is worked on, the next ones are being made.
 */
import { JitLensError } from '../errors.ts';
import { initialSeed } from '../ops/random.ts';
import { HostGenerator } from '../tensor/random.ts';
import { collate, type Batch } from './collate.ts';
import { isBatched, type Dataset, type SeedOption } from './dataset.ts';

export interface DataLoaderOptions<T, B> extends SeedOption {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number;
  /** Whether samples come in another random order in each loop. Default false. */
  readonly shuffle?: boolean;
  /** Leaves out a last batch that is not full. Default false. */
  readonly dropLast?: boolean;
  /** Batches that are made ahead. Default 2. */
  readonly prefetch?: number;
  /** Makes a batch of samples; by default tensors and numbers are stacked, through lists and records. */
  readonly collate?: (samples: T[]) => B | Promise<B>;
}

export class DataLoader<T, B = Batch<T>> implements AsyncIterable<B> {
  private readonly batchSize: number;
  private readonly generator: HostGenerator;

  constructor(
    readonly dataset: Dataset<T>,
    private readonly options: DataLoaderOptions<T, B> = {},
  ) {
    const { batchSize = 1, prefetch = 2, seed = initialSeed() } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1 || !Number.isInteger(prefetch) || prefetch < 0) {
      throw new JitLensError(
        'JLT-DATA',
        `DataLoader: batches of ${batchSize}, ${prefetch} of them ahead`,
        'Both are whole numbers, the first from 1, the second from 0.',
      );
    }
    this.batchSize = batchSize;
    this.generator = new HostGenerator(seed);
  }

  /** Number of batches. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.options.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const { shuffle = false, prefetch = 2 } = this.options;
    const count = this.dataset.length;
    const order = shuffle ? this.generator.permutation(count) : Uint32Array.from({ length: count }, (_, i) => i);
    const ahead: Promise<B>[] = [];
    let next = 0;
    const take = (): Promise<B> | undefined => {
      for (; next < this.length && ahead.length <= prefetch; next++) {
        const batch = this.batch(order.subarray(next * this.batchSize, (next + 1) * this.batchSize));
        // A loop that ends early never looks at it.
        batch.catch(() => undefined);
        ahead.push(batch);
      }
      return ahead.shift();
    };
    for (let batch = take(); batch; batch = take()) yield await batch;
  }

  private async batch(indices: Uint32Array): Promise<B> {
    const { dataset, options } = this;
    if (!options.collate && isBatched<T, B>(dataset)) return dataset.getBatch(indices);
    const samples = await Promise.all(Array.from(indices, (i) => dataset.get(i)));
    return options.collate ? options.collate(samples) : (collate(samples) as B);
  }
}
