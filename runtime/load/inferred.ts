/** @file The names that JavaScript gives to functions that have none of their own, after what they are written for. */
import { ts, type TS } from '../script/typescript.ts';

/** Empty when it gets none from its place. */
export function inferredName(node: TS.ArrowFunction | TS.FunctionExpression): string | undefined {
  if (node.name) return '';
  const outer = outermost(node);
  const { parent } = outer;
  if (ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)) return nameOf(parent.name);
  if (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent)) return keyOf(parent.name);
  if (ts.isShorthandPropertyAssignment(parent)) return parent.name.text;
  if (ts.isExportAssignment(parent)) return 'default';
  return ts.isBinaryExpression(parent) && parent.right === outer && isPlainAssignment(parent) ? nameOf(parent.left) : '';
}

/** Not when only running the code tells its name; nor when it is called where it stands, and nobody else gets hold of it. */
export function hasKeepableName(node: TS.ArrowFunction | TS.FunctionExpression): boolean {
  const outer = outermost(node);
  const called = ts.isCallExpression(outer.parent) && outer.parent.expression === outer;
  return !called && inferredName(node) !== undefined;
}

/** The key that a property has, when its text says it. `__proto__` would be no property. */
export function keyOf(name: TS.PropertyName): string | undefined {
  if (ts.isBigIntLiteral(name)) return undefined;
  if (ts.isComputedPropertyName(name)) return ts.isStringLiteralLike(name.expression) ? name.expression.text : undefined;
  return name.text === '__proto__' ? undefined : name.text;
}

function nameOf(target: TS.Node): string {
  return ts.isIdentifier(target) ? target.text : '';
}

function isPlainAssignment({ operatorToken: { kind } }: TS.BinaryExpression): boolean {
  return ['=', '||=', '&&=', '??='].includes(ts.tokenToString(kind) ?? '');
}

/** With the parentheses and casts around it, which change nothing. */
function outermost(node: TS.Node): TS.Node {
  const { parent } = node;
  const thin =
    ts.isParenthesizedExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isNonNullExpression(parent) ||
    ts.isTypeAssertionExpression(parent);
  return thin ? outermost(parent) : node;
}
