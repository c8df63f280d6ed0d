/** @file Names from outside. In: an identifier within a function. Out: the outer variable that it reads, if it does. */
import type { Context } from '../context.ts';
import { ts, type TS } from '../typescript.ts';
import { variableOf } from './writes.ts';

export interface Capture {
  readonly symbol: TS.Symbol;
  readonly declaration: TS.VariableDeclaration | TS.ParameterDeclaration | TS.BindingElement;
}

/** The captured variable of the user's; none for functions, classes, types, imports of JitLens and the host's globals. */
export function captured(node: TS.Identifier, context: Context): Capture | undefined {
  const { types } = context;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) return undefined;
  if (
    (ts.isPropertyAssignment(parent) || ts.isBindingElement(parent) || ts.isVariableDeclaration(parent)) &&
    parent.name === node
  )
    return undefined;
  if (ts.isPropertyDeclaration(parent) || ts.isParameter(parent) || ts.isMethodDeclaration(parent)) {
    if (parent.name === node) return undefined;
  }
  if (ts.isJsxAttribute(parent) || ts.isLabeledStatement(parent)) return undefined;
  const symbol = types.symbol(node);
  if (!symbol || !context.isOuter(symbol)) return undefined;
  const declaration = variableOf(symbol);
  if (!declaration || types.isOwn(symbol) || types.isHost(symbol)) return undefined;
  return { symbol, declaration };
}
