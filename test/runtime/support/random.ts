/**
 * @file Test data. In: a seed. Out: the same numbers on every run (mulberry32), and values of each dtype that are exact in
 * that dtype, so that all devices are given the same ones.
 */
import { tensor, type Tensor } from 'jitlens';
import type { DType } from '../../../runtime/tensor/dtype.ts';
import { numel, type Shape } from '../../../runtime/tensor/shape.ts';

export class Random {
  constructor(private state: number) {}

  /** Uniform on [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  pick<T>(list: readonly T[]): T {
    const value = list[this.whole(0, list.length - 1)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }

  shuffled<T>(list: readonly T[]): T[] {
    return list
      .map((value) => ({ value, key: this.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ value }) => value);
  }

  values(count: number, dtype: DType, [lo, hi]: readonly [number, number]): number[] {
    const least = dtype === 'uint32' ? Math.max(0, Math.ceil(lo)) : Math.ceil(lo);
    const draw = (): number => {
      if (dtype === 'float32') return Math.fround(lo + (hi - lo) * this.next());
      return dtype === 'bool' ? this.whole(0, 1) : this.whole(least, Math.floor(hi));
    };
    return Array.from({ length: count }, draw);
  }
}

/** A float32 tensor of numbers up to `size` and down to its opposite. */
export function randomTensor(shape: Shape, seed = 1, size = 1): Tensor {
  return tensor(new Random(seed).values(numel(shape), 'float32', [-size, size])).view(shape);
}
