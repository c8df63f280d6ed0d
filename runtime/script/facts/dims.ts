/** @file Shapes in conditions and counts. In: an expression. Out: where it looks at a tensor's shape, and at which dim. */
import type { Context } from '../context.ts';
import { ts, type TS } from '../typescript.ts';
import { some } from './functions.ts';
import { constantOf } from './numbers.ts';
import { tensorCall } from './uses.ts';
import { isConst, variableOf } from './writes.ts';

export interface ShapeRead {
  readonly node: TS.Node;
  /** Absent where it is not one constant dim. */
  readonly dim?: number;
}

/** The first look at a tensor's sizes in an expression, through a `const` too. */
export function shapeRead(expression: TS.Node, { types }: Context): ShapeRead | undefined {
  let found: ShapeRead | undefined;
  const look = (node: TS.Node): boolean => {
    const call = tensorCall(node, types);
    if (call?.name === 'size') {
      const [dim] = call.call.arguments;
      found = { node, dim: dim && constantOf(dim, types) };
    } else if (
      ts.isPropertyAccessExpression(node) &&
      ['shape', 'numel'].includes(node.name.text) &&
      types.mayBeTensor(types.of(node.expression))
    ) {
      const { parent } = node;
      // How many dims there are is part of the type.
      if (ts.isPropertyAccessExpression(parent) && parent.name.text === 'length') return false;
      found = { node, dim: ts.isElementAccessExpression(parent) ? constantOf(parent.argumentExpression, types) : undefined };
    } else if (ts.isIdentifier(node)) {
      const declaration = variableOf(types.symbol(node));
      if (declaration && ts.isVariableDeclaration(declaration) && declaration.initializer && isConst(declaration)) {
        const { initializer } = declaration;
        if (!types.mayBeTensor(types.of(node)) && types.kind(types.of(node)) === 'number') some(initializer, look);
      }
    }
    return found !== undefined;
  };
  some(expression, look);
  return found;
}
