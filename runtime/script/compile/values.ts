/**
 * @file What expressions give while code is compiled. Everything that is known then is itself: numbers, strings, arrays,
 * modules; tensors have a shape and no elements. The rest stands here: scalars that are known only at run time, promises,
 * functions of the code, and values that must not be used.
 */
import type { Value } from '../../ir/program.ts';
import { JitLensError } from '../../errors.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { TS } from '../typescript.ts';
import type { Scope } from './memory.ts';

/** A number, truth value or text that is known when the program runs. */
export class Unknown {
  constructor(
    readonly value: Value,
    /** A number that is certainly whole. */
    readonly integer = false,
  ) {}

  get type(): 'number' | 'boolean' | 'string' {
    return this.value.type === 'tensor' ? 'number' : this.value.type;
  }

  // JavaScript must not make something up from it.
  [Symbol.toPrimitive](): never {
    throw new JitLensError(
      'JL307',
      `a ${this.type} that is known only at run time is used where its value is needed at compile time`,
      'Pass it in as an argument, or compute with tensors.',
    );
  }
}

/** What an async call gives until it is awaited. */
export class Pending {
  constructor(readonly result: unknown) {}
}

/** What a variable holds after paths that do not agree; an error only when it is used. */
export class Conflict {
  constructor(
    readonly code: string,
    readonly message: (name: string) => string,
    readonly hint: string,
  ) {}
}

/** A function of the code, with the variables around it. */
export class Closure {
  constructor(
    readonly node: TS.FunctionLikeDeclaration,
    readonly source: CodeFile,
    readonly scope: Scope,
    readonly self: unknown,
    /** Where `super` starts to look: the prototype or class that holds the method. */
    readonly home?: object,
  ) {}
}

/** A parsed file that code comes from. */
export interface CodeFile {
  readonly file: string;
  readonly tree: TS.SourceFile;
  /** Whether there is such a file: code that no loader has noted is known only by its own text. */
  readonly exists: boolean;
}

/** `range(…)`, whose ends may be known only at run time. */
export class Range {
  constructor(
    readonly start: number | Unknown,
    readonly end: number | Unknown,
    readonly step: number | Unknown,
  ) {}
}

/** Names of a value's type, for sentences. */
export function typeName(x: unknown): string {
  if (x instanceof Unknown) return x.type;
  if (x instanceof Tensor) return 'Tensor';
  if (Array.isArray(x)) return 'array';
  if (x instanceof Closure || typeof x === 'function') return 'function';
  return x === null ? 'null' : typeof x === 'object' ? x.constructor.name : typeof x;
}

/** Whether an unknown is the value, or is somewhere in it. */
export function hasUnknown(x: unknown): boolean {
  if (x instanceof Unknown || x instanceof Pending) return true;
  if (x instanceof Range) return [x.start, x.end, x.step].some((part) => part instanceof Unknown);
  if (Array.isArray(x)) return x.some(hasUnknown);
  return isRecord(x) && Object.values(x).some(hasUnknown);
}

export function isRecord(x: unknown): x is Record<string, unknown> {
  return typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype;
}

/** Thrown when the code raises an error on every path from here. */
export class Raised extends Error {}
