/** @file Declarations near by. In: a node. Out: what the class around says of its field, and where the node stands. */
import type { Position } from '../../profile/diagnostic.ts';
import { ts, type TS } from '../typescript.ts';
import type { Context } from './context.ts';

/** The declaration of `this.name`; undefined when it is inherited. */
export function fieldOf(node: TS.Expression): TS.PropertyDeclaration | TS.ParameterDeclaration | undefined {
  if (!ts.isPropertyAccessExpression(node) || node.expression.kind !== ts.SyntaxKind.ThisKeyword) return undefined;
  const isIt = ({ name }: { readonly name: TS.Node }) => ts.isIdentifier(name) && name.text === node.name.text;
  for (const member of classAround(node)?.members ?? []) {
    if (ts.isPropertyDeclaration(member) && isIt(member)) return member;
    const field = ts.isConstructorDeclaration(member) && member.parameters.find((p) => p.modifiers && isIt(p));
    if (field) return field;
  }
  return undefined;
}

function classAround(node: TS.Node): TS.ClassLikeDeclaration | undefined {
  for (let at = node as TS.Node | undefined; at; at = at.parent as TS.Node | undefined) if (ts.isClassLike(at)) return at;
  return undefined;
}

export function placeOf({ activation }: Context, node: TS.Node): Position {
  const { line, character } = activation.code.tree.getLineAndCharacterOfPosition(node.getStart(activation.code.tree));
  return { line: line + 1, column: character + 1 };
}
