/**
 * @file The one error class. In: a stable code, a sentence, the way out. Out: what every face of JitLens prints.
 * Codes: JL1xx–7xx are rules of the language subset, JLT-… come from tensors, JLR-… from running a module.
 */

/** A place in the user's TypeScript; lines and columns count from 1, columns in UTF-16 units. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export class JitLensError extends Error {
  override readonly name = 'JitLensError';

  constructor(
    readonly code: string,
    message: string,
    /** What to do about it, one sentence. */
    readonly hint?: string,
    readonly place?: SourcePlace,
  ) {
    super(message);
  }
}

/** Throws when something that the code itself guarantees does not hold; never the user's fault. */
export function invariant<T>(value: T | undefined | null | false, what: string): T {
  if (value === undefined || value === null || value === false) {
    throw new JitLensError('JL-BUG', `JitLens broke its own rule: ${what}`, 'Please report this with the module that caused it.');
  }
  return value;
}
