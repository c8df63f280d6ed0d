/** @file The names under `jit`. */
export { dynamic } from './dynamic.ts';
export { freeze } from './freeze.ts';
export { example, type Example } from './example.ts';
export { trace, traceModule, type Recompile, type Traced, type TraceInfo } from './trace.ts';
