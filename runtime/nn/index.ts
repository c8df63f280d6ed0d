/**
 * @file The names under `nn`. Parameters are called as in PyTorch, in camelCase: `weight`, `bias`, `weightIhL0`,
 * `biasHhL0Reverse`, `inProjWeight`; so are the keys of `stateDict()`.
 */
export * from './activations.ts';
export { ModuleDict, ModuleList, ParameterList, Sequential, type Layer } from './containers.ts';
export type { BackwardHook, ForwardHook, ForwardPreHook } from './hooks.ts';
export * as init from './init.ts';
export { Embedding, Linear, type EmbeddingOptions } from './linear.ts';
export { Buffer, Module, Parameter, type Named, type StateDict } from './module.ts';
export { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell, type RecurrentOptions, type RNNOptions } from './recurrent.ts';
