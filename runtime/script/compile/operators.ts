/**
 * @file Operators on values that are known or not. In: operands. Out: what JavaScript gives; for what is known only at run time a
 * computation on the host with JavaScript's own operator. Tensors have none: they are refused.
 */
import { Tensor } from '../../tensor/tensor.ts';
import type { TS } from '../typescript.ts';
import { refuse, textOf, type Context } from './context.ts';
import { ABSENT, compute, fork, isWhole, scalarType, truth } from './flow.ts';
import { asksForPresence } from './present.ts';
import type { Scope } from './memory.ts';
import { Conflict, Pending, Raised, typeName, Unknown } from './values.ts';

/** Numbers in arithmetic; texts too where they are compared or joined. */
type Known = number;

interface Operator {
  readonly run: (a: Known, b: Known) => unknown;
  readonly result: 'number' | 'boolean';
  /** Whole operands give a whole result. */
  readonly whole?: boolean;
}

const arithmetic = (run: (a: Known, b: Known) => unknown, whole = false): Operator => ({ run, result: 'number', whole });
const comparison = (run: (a: Known, b: Known) => unknown): Operator => ({ run, result: 'boolean' });

export const OPERATORS: Readonly<Record<string, Operator>> = {
  '+': arithmetic((a, b) => a + b, true),
  '-': arithmetic((a, b) => a - b, true),
  '*': arithmetic((a, b) => a * b, true),
  '/': arithmetic((a, b) => a / b),
  '%': arithmetic((a, b) => a % b, true),
  '**': arithmetic((a, b) => a ** b),
  '<': comparison((a, b) => a < b),
  '<=': comparison((a, b) => a <= b),
  '>': comparison((a, b) => a > b),
  '>=': comparison((a, b) => a >= b),
  '===': comparison((a, b) => a === b),
  '!==': comparison((a, b) => a !== b),
  '&': arithmetic((a, b) => a & b, true),
  '|': arithmetic((a, b) => a | b, true),
  '^': arithmetic((a, b) => a ^ b, true),
  '<<': arithmetic((a, b) => a << b, true),
  '>>': arithmetic((a, b) => a >> b, true),
  '>>>': arithmetic((a, b) => a >>> b, true),
};

const METHODS: Readonly<Record<string, string>> = {
  '+': 'a.add(b)',
  '-': 'a.sub(b)',
  '*': 'a.mul(b)',
  '/': 'a.div(b)',
  '**': 'a.pow(b)',
  '%': 'a.remainder(b)',
  '<': 'a.lt(b)',
  '<=': 'a.le(b)',
  '>': 'a.gt(b)',
  '>=': 'a.ge(b)',
};

export function binary(context: Context, text: string, a: unknown, b: unknown, at: TS.Node): unknown {
  const operator = OPERATORS[text];
  const loose = text === '==' || text === '!=';
  if (loose && (a === null || a === undefined || b === null || b === undefined))
    return ((a ?? undefined) === (b ?? undefined)) === (text === '==');
  if (loose) throw refuse(context, at, 'JL319', `‘${text}’ converts its operands before it compares them`, `Write ‘${text}=’.`);
  if (!operator) throw refuse(context, at, 'JL307', `‘${text}’ cannot be compiled`, 'Write it with other operators.');
  if (a instanceof Tensor || b instanceof Tensor) return onTensors(context, text, a, b, at);
  if (!(a instanceof Unknown) && !(b instanceof Unknown)) {
    if (typeof a === 'object' || typeof b === 'object') return objects(context, text, a, b, at);
    return operator.run(a as Known, b as Known);
  }
  const [p, q] = [scalarType(a), scalarType(b)];
  if ((text === '===' || text === '!==') && p !== q) return text === '!==';
  const joins = text === '+' && (p === 'string' || q === 'string');
  if (!p || !q || (!joins && operator.result === 'number' && (p !== 'number' || q !== 'number')))
    throw refuse(context, at, 'JL319', `‘${text}’ of ${typeName(a)} and ${typeName(b)}`, 'Convert one of them first.');
  const integer = operator.whole && isWhole(a) && isWhole(b);
  return compute(context, text, [a, b], operator.run, { type: joins ? 'string' : operator.result, integer });
}

function objects(context: Context, text: string, a: unknown, b: unknown, at: TS.Node): unknown {
  if (text === '===') return a === b;
  if (text === '!==') return a !== b;
  throw refuse(context, at, 'JL319', `‘${text}’ of ${typeName(a)} and ${typeName(b)} converts them`, 'Compute with numbers.');
}

function onTensors(context: Context, text: string, a: unknown, b: unknown, at: TS.Node): unknown {
  if (text === '===' || text === '!==') {
    const nothing = a === undefined || a === null || b === undefined || b === null;
    if (nothing) return text === '!==';
    throw refuse(context, at, 'JL209', 'tensors are objects, so this compares which object it is', 'Use `a.eq(b)`.');
  }
  throw refuse(
    context,
    at,
    'JL401',
    `‘${textOf(context, at)}’ on tensors is not element-wise`,
    `JavaScript has no operators for objects; use ${METHODS[text] ?? 'a method'}.`,
  );
}

/** Whether a condition holds, as far as that is known. */
export function condition(context: Context, x: unknown, at: TS.Node, scope: Scope): boolean | Unknown {
  if (x instanceof Unknown) return truth(context, x);
  if (x instanceof Tensor) {
    if (asksForPresence(context, at, scope)) return true;
    throw refuse(
      context,
      at,
      'JL209',
      'this condition is always true: a Tensor is an object',
      'Did you mean its value? Use `(await x.item()) !== 0`, or `where(c, a, b)`.',
    );
  }
  if (x instanceof Pending)
    throw refuse(context, at, 'JL219', 'this condition is always true: a promise is an object', 'Await it.');
  return Boolean(x);
}

/** The value of `a` or of `b`, as the condition says; only that one is computed. */
export function choose(context: Context, c: boolean | Unknown, a: () => unknown, b: () => unknown, at: TS.Node): unknown {
  if (!(c instanceof Unknown)) return c ? a() : b();
  const arm = (body: () => unknown) => () => {
    try {
      return body();
    } catch (error) {
      if (error instanceof Raised) return RAISED;
      throw error;
    }
  };
  const given = (x: unknown) => (x === RAISED ? ABSENT : x);
  const value = fork(context, c, arm(a), arm(b), (x, y, merger) => (x === y ? x : merger.merge(given(x), given(y))));
  if (value === RAISED) throw new Raised();
  if (value instanceof Conflict) throw refuse(context, at, value.code, value.message(textOf(context, at)), value.hint);
  return value;
}

const RAISED = Symbol('raised');

export function not(context: Context, x: unknown, at: TS.Node, scope: Scope): unknown {
  const c = condition(context, x, at, scope);
  return compute(context, '!', [c], (v: boolean) => !v, { type: 'boolean' });
}

export function unary(context: Context, text: string, x: unknown, at: TS.Node): unknown {
  if (x instanceof Tensor)
    throw refuse(context, at, 'JL401', `‘${textOf(context, at)}’ on a tensor is not element-wise`, 'Use `x.neg()`.');
  if (x instanceof Unknown && x.type === 'string')
    throw refuse(context, at, 'JL319', `‘${text}’ of a string converts it`, 'Use a number.');
  if (typeof x === 'object' && !(x instanceof Unknown) && x !== null)
    throw refuse(context, at, 'JL319', `‘${text}’ of ${typeName(x)} converts it`, 'Use a number.');
  const whole = isWhole(x);
  const number = (run: (v: number) => number, integer = whole) => compute(context, text, [x], run, { type: 'number', integer });
  if (text === '-') return number((v) => -v);
  if (text === '+') return number((v) => v);
  if (text === '~') return number((v) => ~v, true);
  throw refuse(context, at, 'JL307', `‘${text}’ cannot be compiled`, 'Write it with other operators.');
}
