/** @file How values are used. In: an expression. Out: what takes its value: an op, an operator, a call, a condition. */
import type { Context } from '../context.ts';
import { ts, type TS } from '../typescript.ts';
import { isFunction } from './functions.ts';
import type { Types } from './types.ts';
import { signOf } from './words.ts';

export interface Use {
  readonly as: 'receiver' | 'argument' | 'operand' | 'result';
  /** What an op wants there. */
  readonly wanted?: TS.Type;
}

const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '**', '<', '>', '<=', '>=', '+=', '-=', '*=', '/=']);
const BITS = new Set(['&', '|', '^', '<<', '>>', '>>>']);

export function isArithmetic(sign: string): boolean {
  return ARITHMETIC.has(sign);
}

export function isBitwise(sign: string): boolean {
  return BITS.has(sign) || BITS.has(sign.replace(/=$/, ''));
}

/** The expression around it that only passes its value on. */
export function outermost(node: TS.Expression): TS.Expression {
  let at = node;
  while (ts.isParenthesizedExpression(at.parent)) at = at.parent;
  return at;
}

/** A call of an op or of another function of JitLens. */
export function isOwnCall(call: TS.CallExpression | TS.NewExpression, types: Types): boolean {
  const { expression } = call;
  if (ts.isPropertyAccessExpression(expression) && types.mayBeTensor(types.of(expression.expression))) return true;
  return types.ownName(expression) !== undefined;
}

/** The method and the receiver, for a call of a tensor's method. */
export function tensorCall(
  node: TS.Node,
  types: Types,
):
  | { readonly name: string; readonly on: TS.Expression; readonly call: TS.CallExpression; readonly nameNode: TS.MemberName }
  | undefined {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: on, name } = node.expression;
  return types.mayBeTensor(types.of(on)) ? { name: name.text, on, call: node, nameNode: name } : undefined;
}

export function useOf(node: TS.Expression, { types }: Pick<Context, 'types'>): Use | undefined {
  const at = outermost(node);
  const { parent } = at;
  if (ts.isPropertyAccessExpression(parent) && parent.expression === at && !parent.questionDotToken) return { as: 'receiver' };
  if (ts.isElementAccessExpression(parent) && parent.expression === at && !parent.questionDotToken) return { as: 'receiver' };
  if ((ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== at) {
    if (!isOwnCall(parent, types)) return undefined;
    // Asked for where it matters only: it takes the checker to choose among signatures.
    return {
      as: 'argument',
      get wanted() {
        return types.checker.getContextualType(at);
      },
    };
  }
  if (ts.isBinaryExpression(parent) && isArithmetic(signOf(parent))) return { as: 'operand' };
  if (ts.isPrefixUnaryExpression(parent) && parent.operator !== ts.SyntaxKind.ExclamationToken) return { as: 'operand' };
  if (ts.isReturnStatement(parent) || (isFunction(parent) && parent.body === at)) return { as: 'result' };
  return undefined;
}

/** Whether only the truth of an expression matters where it stands. */
export function isCondition(node: TS.Expression): boolean {
  const at = outermost(node);
  const { parent } = at;
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent) || ts.isDoStatement(parent)) return parent.expression === at;
  if (ts.isForStatement(parent) || ts.isConditionalExpression(parent)) return parent.condition === at;
  if (ts.isPrefixUnaryExpression(parent)) return parent.operator === ts.SyntaxKind.ExclamationToken;
  if (ts.isBinaryExpression(parent) && isLogical(parent)) return isCondition(parent);
  return false;
}

export function isLogical(node: TS.BinaryExpression): boolean {
  return (
    node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken || node.operatorToken.kind === ts.SyntaxKind.BarBarToken
  );
}

export function isRange(node: TS.Expression, types: Types): node is TS.CallExpression {
  return ts.isCallExpression(node) && types.ownName(node.expression) === 'range';
}

/** The name at the beginning of `a.b[c].d`. */
export function rootOf(node: TS.Expression): TS.Expression {
  let at = node;
  while (
    ts.isPropertyAccessExpression(at) ||
    ts.isElementAccessExpression(at) ||
    ts.isNonNullExpression(at) ||
    ts.isParenthesizedExpression(at)
  )
    at = at.expression;
  return at;
}
