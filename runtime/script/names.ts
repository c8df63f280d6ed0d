/** @file Functions under `jit` that do little when code runs eagerly, and say something to the compiler. */

/** Whether the code is running compiled by `jit.script`. */
export function isScripting(): boolean {
  return false;
}

/** The value; `T` is its type for the compiler: `jit.annotate<Tensor[]>([])`. */
export function annotate<T>(value: T): T {
  return value;
}
