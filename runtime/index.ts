/**
 * @file The library's public names. Importing it opens a device: the machine's GPU, else the software one, else the
 * reference interpreter; `JITLENS_DEVICE` (gpu, software, reference) asks for one.
 */
import './ops/table.ts';
import { useDefaultDevice } from './kernels/open.ts';

await useDefaultDevice();

export { Tensor } from './tensor/tensor.ts';
export type { DType } from './tensor/dtype.ts';
export {
  arange,
  empty,
  emptyLike,
  eye,
  fromArray,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randperm,
  range,
  tensor,
  zeros,
  zerosLike,
} from './tensor/create.ts';
export { manualSeed } from './ops/random.ts';
export { keep, memory, scope } from './memory.ts';
export { einsum } from './ops/einsum.ts';
export { cat, stack } from './ops/join.ts';
export { JitLensError } from './errors.ts';
export { enableGrad, grad, noGrad } from './autograd/index.ts';
export * as autograd from './autograd/index.ts';
export { gradcheck, gradgradcheck, type GradcheckOptions } from './gradcheck.ts';
export * as nn from './nn/index.ts';
export * as optim from './optim/index.ts';
export * as data from './data/index.ts';
export * as jit from './jit.ts';
