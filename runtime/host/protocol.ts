/**
 * @file What the runner process says, one JSON document a line on file descriptor 3, and what it is asked (its one
 * command-line argument). Both ends parse; neither trusts the other's text.
 */
import type { Profile, Span } from '../profile/model.ts';

export interface ProfileRequest {
  readonly file: string;
  readonly example?: string;
  readonly runs?: number;
  readonly device?: 'gpu' | 'software' | 'reference';
  /** Wall-clock limit for the user's code between two signs of progress. */
  readonly timeoutMs?: number;
}

/** A failure as a person reads it: one sentence, where, and the way out. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly span?: Span;
  /** The long story (stack, child's stderr), for “Show details”. */
  readonly details?: string;
}

export type Stage = 'start' | 'load' | 'inputs' | 'eager' | 'trace' | 'compile' | 'traced' | 'check' | 'report';

export type RunnerMessage =
  | { readonly type: 'stage'; readonly stage: Stage; readonly label: string; readonly fraction: number }
  | { readonly type: 'done'; readonly profile: Profile }
  | { readonly type: 'failed'; readonly failure: Failure };

/** The message on one line, or undefined when the line is not one. */
export function parseRunnerMessage(line: string): RunnerMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const type = value.type;
  return type === 'stage' || type === 'done' || type === 'failed' ? (value as RunnerMessage) : undefined;
}
