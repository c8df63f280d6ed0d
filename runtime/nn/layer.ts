/** @file Layers that are one call of an op: the constructor's arguments are kept for it. */
import type { Tensor } from '../tensor/tensor.ts';
import { Module } from './module.ts';

/** A module from a tensor to a tensor. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** A class of modules whose `forward(x)` is `run(x, …constructor's arguments)`. */
export function layer<A extends readonly unknown[]>(run: (x: Tensor, ...options: A) => Tensor): new (...options: A) => Layer {
  return class extends Module {
    readonly #options: A;

    constructor(...options: A) {
      super();
      this.#options = options;
    }

    forward(x: Tensor): Tensor {
      return run(x, ...this.#options);
    }
  };
}
