/** @file The names under `jit`: tracing, and scripting. */
export { dynamic, example, freeze, traceModule, type Example, type Recompile, type Traced, type TraceInfo } from './jit/index.ts';
export { constant, state, unused, ignore, exported as export } from './script/marks.ts';
export { infoOf, scriptMethod, ScriptModule } from './script/module.ts';
export { annotate, isScripting } from './script/names.ts';
export { checkTrace } from './script/check-trace.ts';
export { trace, type Checked, type TraceOptions } from './script/checked.ts';
export { verify, type Verified, type VerifyOptions, type VerifyReport } from './script/verify.ts';
export { script, type ScriptFunction, type Scripted, type ScriptInfo, type ScriptOptions } from './script/script.ts';
