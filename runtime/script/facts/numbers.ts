/**
 * @file Numbers as far as their text tells. In: an expression. Out: its constant value, and whether it may be a fraction:
 * JavaScript has one type for both, so this is inferred from how the number was made.
 */
import { ts, type TS } from '../typescript.ts';
import { bare } from './functions.ts';
import type { Types } from './types.ts';
import { isConst, resolved, variableOf } from './writes.ts';
import { isNamed, signOf } from './words.ts';

const FRACTIONAL = new Set([
  'sqrt',
  'cbrt',
  'exp',
  'log',
  'log2',
  'log10',
  'log1p',
  'sin',
  'cos',
  'tan',
  'tanh',
  'atan',
  'atan2',
  'hypot',
  'random',
]);
const PASSED_ON = new Set(['abs', 'min', 'max', 'pow', 'sign']);

/** The value of a number that the text alone says. */
export function constantOf(node: TS.Expression, types: Types, depth = 0): number | undefined {
  const at = resolved(node, types);
  if (depth > 8) return undefined;
  if (ts.isNumericLiteral(at)) return Number(at.text);
  if (ts.isPrefixUnaryExpression(at)) {
    const value = constantOf(at.operand, types, depth + 1);
    if (value === undefined) return undefined;
    return at.operator === ts.SyntaxKind.MinusToken ? -value : at.operator === ts.SyntaxKind.PlusToken ? value : undefined;
  }
  if (ts.isBinaryExpression(at)) {
    const [a, b] = [constantOf(at.left, types, depth + 1), constantOf(at.right, types, depth + 1)];
    if (a === undefined || b === undefined) return undefined;
    switch (signOf(at)) {
      case '+':
        return a + b;
      case '-':
        return a - b;
      case '*':
        return a * b;
      case '/':
        return a / b;
      case '%':
        return a % b;
      case '**':
        return a ** b;
    }
  }
  if (!ts.isIdentifier(at) && !ts.isPropertyAccessExpression(at) && !ts.isElementAccessExpression(at)) return undefined;
  const type = types.of(at);
  // An enum's member, or a `const` that another file declares.
  return type.isNumberLiteral() && !isLoopVariable(at, types) ? type.value : undefined;
}

function isLoopVariable(node: TS.Expression, types: Types): boolean {
  const declaration = ts.isIdentifier(node) ? variableOf(types.symbol(node)) : undefined;
  return declaration !== undefined && !isConst(declaration);
}

/** The part of an expression that may make it a fraction, if there is one. */
export function fractionIn(node: TS.Expression, types: Types, depth = 0): TS.Expression | undefined {
  const at = bare(node);
  if (depth > 8) return undefined;
  const value = constantOf(at, types);
  if (value !== undefined) return Number.isInteger(value) ? undefined : at;
  const inside = (...parts: TS.Expression[]) => parts.map((p) => fractionIn(p, types, depth + 1)).find(Boolean);
  if (ts.isIdentifier(at)) {
    const next = resolved(at, types);
    return next !== at && inside(next) ? at : undefined;
  }
  if (ts.isConditionalExpression(at)) return inside(at.whenTrue, at.whenFalse);
  if (ts.isPrefixUnaryExpression(at)) return inside(at.operand);
  if (ts.isBinaryExpression(at)) {
    const sign = signOf(at);
    if (sign === '/') return at;
    if (['+', '-', '*', '%', '**'].includes(sign)) return inside(at.left, at.right) ? at : undefined;
    return sign === '??' || sign === '||' ? inside(at.left, at.right) : undefined;
  }
  if (ts.isCallExpression(at) && ts.isPropertyAccessExpression(at.expression) && isNamed(at.expression.expression, 'Math')) {
    const { text } = at.expression.name;
    if (FRACTIONAL.has(text)) return at;
    if (PASSED_ON.has(text)) return inside(...at.arguments) ? at : undefined;
  }
  return undefined;
}

/** How often `range(...)` turns, when that is known. */
export function rangeCount(call: TS.CallExpression, types: Types): number | undefined {
  const values = call.arguments.map((a) => constantOf(a, types));
  if (values.includes(undefined) || values.length === 0) return undefined;
  const [first = 0, second, step = 1] = values;
  const [start, end] = second === undefined ? [0, first] : [first, second];
  return step === 0 ? undefined : Math.max(0, Math.ceil((end - start) / step));
}
