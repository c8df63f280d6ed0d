/** @file The names under `nn`. */
export { Linear } from './linear.ts';
export { Module, Parameter } from './module.ts';
