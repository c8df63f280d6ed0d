/**
 * @file The hook through which automatic differentiation sees every op, with the arguments the user gave. At most one. It is
 * told inside `noGrad` too, where it records nothing but which tensor is a view of which.
 */
import type { Entry } from './define.ts';

export interface Tape {
  /** Before a tensor is written in place: may refuse. The first operand is the one that is written. */
  beforeWrite(name: string, operands: readonly unknown[]): void;
  record(entry: Entry<never[]>, args: readonly unknown[], result: unknown): void;
}

let installed: Tape | undefined;
let enabled = true;

export function installTape(tape: Tape): void {
  installed = tape;
}

export function activeTape(): Tape | undefined {
  return installed;
}

/** Runs `body` with another tape, or none, hearing its ops. */
export function withTape<T>(tape: Tape | undefined, body: () => T): T {
  const previous = installed;
  installed = tape;
  try {
    return body();
  } finally {
    installed = previous;
  }
}

/** Whether what gradients need is recorded. */
export function gradMode(): boolean {
  return enabled && installed !== undefined;
}

/** Runs `body` recording or not, then as before. */
export function withGradMode<T>(mode: boolean, body: () => T): T {
  const previous = enabled;
  enabled = mode;
  try {
    return body();
  } finally {
    enabled = previous;
  }
}

/** Runs `body` without recording what gradients would need. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` recording what gradients need, inside `noGrad` too. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}
