/** @file Words and signs of expressions. In: a node. Out: what it is called. Nothing is cut out of the text, which takes long. */
import { ts, type TS } from '../typescript.ts';

/** `+` of `a + b`. */
export function signOf(node: TS.BinaryExpression): string {
  return ts.tokenToString(node.operatorToken.kind) ?? '';
}

export function isNamed(node: TS.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

/** `Math.random`, for names with dots between them and nothing else. */
export function dottedName(node: TS.Expression): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (!ts.isPropertyAccessExpression(node) || node.questionDotToken) return undefined;
  const before = dottedName(node.expression);
  return before === undefined ? undefined : `${before}.${node.name.text}`;
}

/** `script` of `jit.script`. */
export function lastWord(node: TS.Expression): string | undefined {
  const name = ts.isPropertyAccessExpression(node) ? node.name : node;
  return ts.isIdentifier(name) ? name.text : undefined;
}

/** `crypto` of `crypto.randomUUID().slice(1)`. */
export function firstWord(node: TS.Expression): string | undefined {
  let at = node;
  while (ts.isPropertyAccessExpression(at) || ts.isElementAccessExpression(at) || ts.isCallExpression(at)) at = at.expression;
  return ts.isIdentifier(at) ? at.text : undefined;
}
