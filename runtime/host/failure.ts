/** @file Any error as a person reads it: a sentence, where in their source, and the way out. */
import { JitLensError } from '../errors.ts';
import { framesOf } from '../frames.ts';
import type { Failure } from './protocol.ts';

/** Codes of what is not the file's fault. */
const NOWHERE = new Set(['JLR-DEVICE', 'JLR-RUNS']);

export function failureOf(error: unknown, file: string): Failure {
  const frames = error instanceof Error ? framesOf(error) : [];
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (error instanceof JitLensError) {
    const span = error.place ?? frames[0] ?? (NOWHERE.has(error.code) ? undefined : { file, line: 1, column: 1 });
    return { code: error.code, message: error.message, hint: error.hint, span, details };
  }
  return {
    code: 'JLR-THROW',
    message: error instanceof Error ? `${error.name}: ${error.message}` : `the module threw ${String(error)}`,
    hint: 'Your code threw this; run it under a debugger to see why.',
    span: frames[0] ?? { file, line: 1, column: 1 },
    details,
  };
}
