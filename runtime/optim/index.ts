/** @file The names under `optim`. */
export { Adagrad, type AdagradOptions } from './adagrad.ts';
export { Adam, AdamW, type AdamOptions } from './adam.ts';
export { clipGradNorm, clipGradValue } from './clip.ts';
export { Optimizer, ParamGroup, type CommonOptions, type GroupOptions, type OptimizerState, type Params } from './optimizer.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
export * from './schedules.ts';
export { SGD, type SGDOptions } from './sgd.ts';
