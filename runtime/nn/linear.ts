/** @file Linear layer. In: [..., in]. Out: [..., out]. */
import { rand } from '../tensor/create.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { Module, Parameter } from './module.ts';

/** x · weightᵀ + bias; weight [out, in] and bias [out] start uniform on ±1/√in. */
export class Linear extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  constructor(inputs: number, outputs: number, options: { readonly bias?: boolean } = {}) {
    super();
    const bound = 1 / Math.sqrt(inputs);
    const uniform = (shape: number[]) =>
      new Parameter(
        rand(shape)
          .mul(2 * bound)
          .sub(bound),
      );
    this.weight = uniform([outputs, inputs]);
    this.bias = options.bias === false ? undefined : uniform([outputs]);
  }

  forward(x: Tensor): Tensor {
    return x.linear(this.weight, this.bias);
  }
}
