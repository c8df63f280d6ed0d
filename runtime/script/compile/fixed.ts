/**
 * @file Whether a list may change while it is walked. In: what a `for…of` walks. Out: an error when its type says that it may (JL203).
 * Most types stand in the code; where they do not, TypeScript is asked, which takes a second or two, once.
 */
import { ModuleList } from '../../nn/containers.ts';
import { finds } from '../judge.ts';
import { ts, type TS } from '../typescript.ts';
import { bare } from '../facts/functions.ts';
import { fieldOf, placeOf } from './declared.ts';
import { refuse, textOf, type Context } from './context.ts';
import { Cell, type Scope } from './memory.ts';

export function isConst(node: TS.AsExpression): boolean {
  return ts.isTypeReferenceNode(node.type) && ts.isIdentifier(node.type.typeName) && node.type.typeName.text === 'const';
}

export function checkFixed(context: Context, node: TS.Expression, value: unknown, scope: Scope): void {
  if (!context.builder || !Array.isArray(value) || value instanceof ModuleList || context.memory.isFixed(value)) return;
  const says = writtenType(context, node, scope);
  const { code } = context.activation;
  const fixed = says ?? !(code.exists && finds('JL203', code.file, placeOf(context, node)));
  if (fixed) return;
  throw refuse(
    context,
    node,
    'JL203',
    `‘${textOf(context, node)}’ is a mutable array; only a range, a tuple or a \`readonly\` array can be looped over here`,
    'Add `as const`, type it `readonly T[]`, or use `range(...)`.',
  );
}

/** Whether the list is of a fixed length, as far as that is written near by; undefined when it is not. */
function writtenType(context: Context, node: TS.Expression, scope: Scope): boolean | undefined {
  const at = ts.isParenthesizedExpression(node) ? node.expression : node;
  if (ts.isAsExpression(at)) return isConst(at) || typeSays(at.type);
  if (ts.isArrayLiteralExpression(at)) return false;
  const walked = bare(at);
  if (ts.isIdentifier(walked)) {
    const cell = scope.find(walked.text);
    if (cell instanceof Cell) return cell.declared?.type && typeSays(cell.declared.type);
    return declaredIn(context.activation.code.tree, walked.text);
  }
  const field = fieldOf(walked);
  if (field?.type) return typeSays(field.type);
  return undefined;
}

/** A type as it is written: `readonly T[]` and tuples are fixed, `T[]` is not, a name says nothing. */
function typeSays(type: TS.TypeNode): boolean | undefined {
  if (ts.isParenthesizedTypeNode(type)) return typeSays(type.type);
  if (ts.isTypeOperatorNode(type)) return type.operator === ts.SyntaxKind.ReadonlyKeyword ? true : undefined;
  if (ts.isTupleTypeNode(type)) return true;
  if (ts.isArrayTypeNode(type)) return false;
  const name = ts.isTypeReferenceNode(type) && ts.isIdentifier(type.typeName) ? type.typeName.text : '';
  return name === 'ReadonlyArray' ? true : name === 'Array' ? false : undefined;
}

/** What a variable at the top of the file says. */
function declaredIn(tree: TS.SourceFile, name: string): boolean | undefined {
  for (const statement of tree.statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const declared of statement.declarationList.declarations) {
      if (!ts.isIdentifier(declared.name) || declared.name.text !== name) continue;
      if (declared.type) return typeSays(declared.type);
      const { initializer } = declared;
      if (initializer && ts.isAsExpression(initializer)) return isConst(initializer) || typeSays(initializer.type);
      return initializer && ts.isArrayLiteralExpression(initializer) ? false : undefined;
    }
  }
  return undefined;
}
