/**
 * @file Scopes: memory that goes when a block ends. In: a function. Out: its result; every tensor that was made inside and
 * is not part of the result is disposed of. Without scopes memory goes when the garbage collector finds out.
 */
import type { Storage } from './storage.ts';

/** Memory that was made while it was the active one. */
export type Scope = Set<Storage>;

let active: Scope | undefined;
/** Memory that no scope gives back. */
const kept = new WeakSet<Storage>();

export function currentScope(): Scope | undefined {
  return active;
}

/** Runs `body`; what it makes is noted in `scope` and stays until somebody else disposes of it. */
export function inScope<T>(scope: Scope | undefined, body: () => T): T {
  const outer = active;
  active = scope;
  try {
    return body();
  } finally {
    active = outer;
  }
}

/** Notes a new storage in the scope around it. */
export function tracked<S extends Storage>(storage: S): S {
  active?.add(storage);
  return storage;
}

/** Runs `body`, then disposes of what it made but for what `escaping` finds in its result. */
export function scoped<T>(body: () => T, escaping: (result: T) => Iterable<Storage>): T {
  const outer = active;
  const own = new Set<Storage>();
  active = own;
  try {
    const result = body();
    for (const storage of escaping(result)) {
      if (own.delete(storage)) outer?.add(storage);
    }
    return result;
  } finally {
    active = outer;
    // Last made, first given back: the next run of the same code then gets the same buffers in the same order.
    for (const storage of [...own].reverse()) if (!kept.has(storage)) storage.release();
  }
}

/** Runs `body`; what it makes belongs to no scope and stays. */
export function outsideScopes<T>(body: () => T): T {
  return inScope(undefined, body);
}

/** The memory belongs to no scope from now on. */
export function keepStorage(storage: Storage): void {
  if (active) kept.add(storage);
}
