/**
 * @file Whether a tensor in a condition is asked for its presence. In: the condition. Out: true for what may be nothing by its type:
 * then the question is JavaScript's own. Otherwise it would always be true, and something else was meant (JL209).
 */
import { finds } from '../judge.ts';
import { bare } from '../facts/functions.ts';
import { ts, type TS } from '../typescript.ts';
import type { Context } from './context.ts';
import { fieldOf, placeOf } from './declared.ts';
import { Cell, type Scope } from './memory.ts';

export function asksForPresence(context: Context, node: TS.Node, scope: Scope): boolean {
  // A run that is followed was asked before.
  if (!context.builder) return true;
  if (!ts.isExpression(node)) return false;
  const at = bare(node);
  // An op always gives a tensor.
  if (ts.isCallExpression(at)) return false;
  const cell = ts.isIdentifier(at) ? scope.find(at.text) : undefined;
  const declared = cell instanceof Cell ? cell.declared : fieldOf(at);
  const says = declared && declarationSays(declared);
  const { code } = context.activation;
  return says ?? (code.exists && !finds('JL209', code.file, placeOf(context, at)));
}

function declarationSays(declared: NonNullable<Cell['declared']> | TS.PropertyDeclaration): boolean | undefined {
  const optional = !ts.isVariableDeclaration(declared) && declared.questionToken !== undefined;
  return optional || (declared.type && typeSays(declared.type));
}

/** `Tensor | undefined` may be nothing, `Tensor` may not; other names say nothing. */
function typeSays(type: TS.TypeNode): boolean | undefined {
  if (ts.isParenthesizedTypeNode(type)) return typeSays(type.type);
  if (ts.isUnionTypeNode(type)) return type.types.some(isNothing) || undefined;
  return ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName) && type.typeName.text === 'Tensor' ? false : undefined;
}

function isNothing(type: TS.TypeNode): boolean {
  if (type.kind === ts.SyntaxKind.UndefinedKeyword) return true;
  return ts.isLiteralTypeNode(type) && type.literal.kind === ts.SyntaxKind.NullKeyword;
}
