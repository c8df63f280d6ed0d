/**
 * @file Random numbers for the host: the order in which data is looked at. In: a seed and a running counter, of its own, so that
 * shuffling data does not change what is drawn on devices. Out: whole numbers.
 */
import { philox } from '../ops/functions/philox.ts';

/** Keeps the host's numbers apart from those of devices, which have the plain seed as their key. */
const HOST = 0x5bd1e995;

/** A sequence of random words. */
export class HostGenerator {
  private readonly words = new Uint32Array(4);
  private block = 0;
  private left = 0;

  constructor(private readonly seed: number) {}

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    if (this.left === 0) {
      philox(this.block % 2 ** 32, Math.floor(this.block / 2 ** 32), (this.seed ^ HOST) >>> 0, this.words, 0);
      this.block++;
      this.left = 4;
    }
    // A word times `end`, without its lower half: never biased by more than end / 2³².
    return Math.floor(((this.words[--this.left] ?? 0) / 2 ** 32) * end);
  }

  /** The numbers from 0 to below `count` in random order (Fisher and Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
    }
    return order;
  }
}
