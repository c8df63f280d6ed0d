/** @file Code of TypeScript that leaves no trace at run time. */
import { ts, type TS } from '../script/typescript.ts';

export function isErased(node: TS.Node): boolean {
  if (ts.isExpressionWithTypeArguments(node)) return isSupertype(node);
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isTypeParameterDeclaration(node)) return true;
  return ts.canHaveModifiers(node) && (node.modifiers?.some((m) => m.kind === ts.SyntaxKind.DeclareKeyword) ?? false);
}

/** Of an interface, or behind `implements`: not the class that another extends. */
function isSupertype({ parent }: TS.ExpressionWithTypeArguments): boolean {
  if (!ts.isHeritageClause(parent)) return false;
  return parent.token === ts.SyntaxKind.ImplementsKeyword || ts.isInterfaceDeclaration(parent.parent);
}
