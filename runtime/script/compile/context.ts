/**
 * @file What the parts of the compiler share: the state of one compilation, and the way to each other. In: nothing. Out: an
 * interface, so that expressions, statements and calls need not import each other.
 */
import { JitLensError } from '../../errors.ts';
import type { Frame } from '../../frames.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { codeFrame } from '../frame.ts';
import { ts, type TS } from '../typescript.ts';
import type { Builder } from './builder.ts';
import type { Memory, Scope } from './memory.ts';
import type { Closure, CodeFile, Unknown } from './values.ts';

/** How a statement ends. */
export type Completion =
  { readonly kind: 'normal' | 'break' | 'continue' | 'throw' } | { readonly kind: 'return'; readonly value: unknown } | Mixed;

/** Ends in one of several ways, which is known at run time. */
export interface Mixed {
  readonly kind: 'mixed';
  readonly code: Unknown;
  readonly codes: ReadonlySet<number>;
  /** What is returned on the paths that return. */
  readonly value: unknown;
}

/** The function that is being looked at. */
export interface Activation {
  readonly code: CodeFile;
  readonly self: unknown;
  readonly home?: object;
  readonly name: string;
}

/** Where values come from that are known only at run time, and where effects go. */
export interface World {
  /** The value of a tensor of one element. */
  read(x: Tensor): unknown;
  effect(name: 'print' | 'raise' | 'call', values: readonly unknown[], run: (...values: unknown[]) => void): void;
}

/** A field of an object from outside, or a name, that the code took for granted. */
export interface Assumed {
  readonly of: object;
  readonly key: PropertyKey;
  readonly value: unknown;
  /** What it is now, where that is no property. */
  readonly read?: () => unknown;
}

export type Keeps = 'none' | 'long' | 'all';

export interface Context {
  readonly memory: Memory;
  readonly world: World;
  /** Absent while code is followed for its gradient: then everything is known. */
  readonly builder?: Builder;
  readonly activation: Activation;
  /** Which loops whose turns are known stay loops: none where they cannot be, long ones, or all when nothing is unrolled. */
  readonly keeps: Keeps;
  evaluate(node: TS.Expression, scope: Scope): unknown;
  execute(statements: readonly TS.Statement[], scope: Scope): Completion;
  statement(node: TS.Statement, scope: Scope): Completion;
  /** Calls a function with values of the compiler's. */
  call(fn: unknown, self: unknown, args: readonly unknown[], at: TS.Node): unknown;
  invoke(closure: Closure, self: unknown, args: readonly unknown[], at: TS.Node): unknown;
  /** A property of a value. */
  property(of: unknown, key: PropertyKey, at: TS.Node): unknown;
  bind(pattern: TS.BindingName, value: unknown, scope: Scope, constant: boolean): void;
  assume(of: object, key: PropertyKey, value: unknown, read?: () => unknown): void;
  /** The value of a field that the module keeps from call to call, which was `now` when the code was looked at. */
  state(of: object, key: PropertyKey, now: unknown): unknown;
  /** Runs `body` as if called from `at`. */
  from<T>(at: TS.Node, body: () => T): T;
  frames(): readonly Frame[];
}

/** An error at a place of the code. */
export function refuse(context: Context, at: TS.Node, code: string, message: string, hint?: string): JitLensError {
  const [, ...callers] = context.frames();
  return located(new JitLensError(code, message, hint, frameAt(context.activation, at)), callers, context.activation, at);
}

/** Prints with the piece of source that it is about, and with the user's calls that lead there. */
export function located(error: JitLensError, callers: readonly Frame[], { code }: Activation, node: TS.Node): JitLensError {
  const { place } = error;
  if (!place) return error;
  const at = namedAt(node);
  const width = at.end - at.getStart(code.tree);
  error.stack = [
    `${error.name}: ${error.message} (${error.code})`,
    `${place.file}:${place.line}:${place.column}`,
    codeFrame(code.tree.text.split(/\r?\n/)[place.line - 1] ?? '', place, width),
    ...(error.hint === undefined ? [] : [error.hint]),
    ...[place, ...callers].map(frameLine),
  ].join('\n');
  return error;
}

export function frameLine(frame: Frame): string {
  return `    at ${frame.function === undefined ? '' : `${frame.function} `}(${frame.file}:${frame.line}:${frame.column})`;
}

/** The place of a node; of a call, that of the name that is called. */
export function frameAt({ code, name }: Activation, node: TS.Node): Frame {
  const { line, character } = code.tree.getLineAndCharacterOfPosition(namedAt(node).getStart(code.tree));
  return { file: code.file, line: line + 1, column: character + 1, function: name };
}

function namedAt(node: TS.Node): TS.Node {
  if (!ts.isCallExpression(node)) return node;
  return ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
}

export function textOf({ activation }: Context, node: TS.Node): string {
  const text = node.getText(activation.code.tree).replace(/\s+/g, ' ');
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** A function of the code as one that JavaScript can call. */
export function asFunction(context: Context, closure: Closure, at: TS.Node): (...args: unknown[]) => unknown {
  return (...args) => context.invoke(closure, closure.self, args, at);
}
