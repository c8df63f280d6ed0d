/**
 * @file The names under `nn`. Parameters are called as in PyTorch, in camelCase: `weight`, `bias`, `runningMean`, `weightIhL0`,
 * `biasHhL0Reverse`, `inProjWeight`; so are the keys of `stateDict()`.
 */
export * from './activations.ts';
export * from './attention.ts';
export { ModuleDict, ModuleList, ParameterList, Sequential } from './containers.ts';
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './convolution.ts';
export type { BackwardHook, ForwardHook, ForwardPreHook } from './hooks.ts';
export * as init from './init.ts';
export type { Layer } from './layer.ts';
export { Bilinear, Embedding, Linear, type EmbeddingOptions } from './linear.ts';
export * from './losses.ts';
export { Buffer, Module, Parameter, type Named, type StateDict } from './module.ts';
export * from './normalisation.ts';
export * from './pooling.ts';
export { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell, type RecurrentOptions, type RNNOptions } from './recurrent.ts';
