/** @file The hook through which automatic differentiation sees every op, with the arguments the user gave. At most one. */
import type { Entry } from './define.ts';

export interface Tape {
  record(entry: Entry<never[]>, args: readonly unknown[], result: unknown): void;
}

let installed: Tape | undefined;
let enabled = true;

export function installTape(tape: Tape): void {
  installed = tape;
}

/** The tape that hears ops now; none inside `noGrad`. */
export function activeTape(): Tape | undefined {
  return enabled ? installed : undefined;
}

/** Whether ops are heard. */
export function gradMode(): boolean {
  return enabled && installed !== undefined;
}

/** Runs `body` with ops heard or not, then as before. */
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
