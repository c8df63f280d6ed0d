/**
 * @file What is written where. In: a file. Out: for a variable or a field, the places that assign it or change what it holds.
 */
import { ts, type TS } from '../typescript.ts';
import { bare, isFunction, walk } from './functions.ts';
import type { Types } from './types.ts';

export interface Write {
  /** `assign` gives the name another value, `mutate` changes the value that it has. */
  readonly kind: 'assign' | 'mutate';
  /** What to underline. */
  readonly node: TS.Node;
  /** The new value, where that is written as one expression. */
  readonly value?: TS.Expression;
}

const MUTATORS = new Set([
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'sort',
  'reverse',
  'fill',
  'copyWithin',
  'set',
  'add',
  'delete',
  'clear',
]);

export class Writes {
  private readonly files = new Map<TS.SourceFile, Map<TS.Symbol, Write[]>>();

  constructor(private readonly types: Types) {}

  /** Writes of a symbol in the file where it is declared, and in `also`. */
  of(symbol: TS.Symbol | undefined, also?: TS.SourceFile): readonly Write[] {
    if (!symbol) return [];
    const files = new Set([symbol.declarations?.[0]?.getSourceFile(), also]);
    return [...files].flatMap((file) => (file && !file.isDeclarationFile ? (this.all(file).get(symbol) ?? []) : []));
  }

  /** Writes of a symbol below a node. */
  within(symbol: TS.Symbol | undefined, root: TS.Node): readonly Write[] {
    return this.of(symbol, root.getSourceFile()).filter(
      ({ node }) => node.getSourceFile() === root.getSourceFile() && node.pos >= root.pos && node.end <= root.end,
    );
  }

  private all(file: TS.SourceFile): Map<TS.Symbol, Write[]> {
    const known = this.files.get(file);
    if (known) return known;
    const found = new Map<TS.Symbol, Write[]>();
    this.files.set(file, found);
    const add = (name: TS.Node, write: Write) => {
      const symbol = this.types.symbol(name);
      if (!symbol) return;
      const list = found.get(symbol) ?? [];
      found.set(symbol, [...list, write]);
    };
    const mutated = (target: TS.Expression, node: TS.Node) => {
      let at = bare(target);
      for (;;) {
        if (ts.isIdentifier(at)) {
          add(at, { kind: 'mutate', node });
          return;
        }
        // A tensor's own methods that are called like an array's.
        if (ts.isPropertyAccessExpression(at)) add(at.name, { kind: 'mutate', node });
        else if (!ts.isElementAccessExpression(at)) return;
        at = bare(at.expression);
      }
    };
    const assigned = (given: TS.Expression, node: TS.Node, value?: TS.Expression): void => {
      const target = bare(given);
      if (ts.isIdentifier(target)) add(target, { kind: 'assign', node: target, value });
      else if (ts.isPropertyAccessExpression(target)) {
        add(target.name, { kind: 'assign', node: target, value });
        mutated(target.expression, node);
      } else if (ts.isElementAccessExpression(target)) mutated(target.expression, node);
      else if (ts.isArrayLiteralExpression(target))
        for (const element of target.elements) assigned(ts.isSpreadElement(element) ? element.expression : element, node);
      else if (ts.isObjectLiteralExpression(target))
        for (const p of target.properties) {
          if (ts.isPropertyAssignment(p)) assigned(p.initializer, node);
          if (ts.isShorthandPropertyAssignment(p)) add(p.name, { kind: 'assign', node: p.name });
        }
      else if (ts.isBinaryExpression(target)) assigned(target.left, node);
    };
    walk(file, (node) => {
      if (ts.isBinaryExpression(node) && isAssignment(node)) assigned(node.left, node, node.right);
      else if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node))
        assigned(node.operand, node);
      else if (ts.isDeleteExpression(node)) assigned(node.expression, node);
      else if (ts.isForOfStatement(node) || ts.isForInStatement(node)) {
        if (!ts.isVariableDeclarationList(node.initializer)) assigned(node.initializer, node.initializer);
      } else if (ts.isCallExpression(node)) {
        const { expression } = node;
        if (!ts.isPropertyAccessExpression(expression)) return true;
        if (MUTATORS.has(expression.name.text) && !this.types.mayBeTensor(this.types.of(expression.expression)))
          mutated(expression.expression, node);
        const [first] = node.arguments;
        if (expression.getText() === 'Object.assign' && first) mutated(first, node);
      }
      return true;
    });
    return found;
  }
}

/** `=`, `+=` and their like. */
export function isAssignment(node: TS.BinaryExpression): boolean {
  const { kind } = node.operatorToken;
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

export function isStep(node: TS.PrefixUnaryExpression | TS.PostfixUnaryExpression): boolean {
  return node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken;
}

/** The variable or parameter that a symbol stands for. */
export function variableOf(
  symbol: TS.Symbol | undefined,
): TS.VariableDeclaration | TS.ParameterDeclaration | TS.BindingElement | undefined {
  return symbol?.declarations?.find(
    (d): d is TS.VariableDeclaration | TS.ParameterDeclaration | TS.BindingElement =>
      ts.isVariableDeclaration(d) || ts.isParameter(d) || ts.isBindingElement(d),
  );
}

export function isConst(declaration: TS.Node): boolean {
  return (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.BlockScoped & ts.NodeFlags.Const) !== 0;
}

/** What a `const` was given, looked through; else the expression itself. */
export function resolved(node: TS.Expression, types: Types): TS.Expression {
  let at = bare(node);
  for (let depth = 0; depth < 8 && ts.isIdentifier(at); depth++) {
    const declaration = variableOf(types.symbol(at));
    if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer || !isConst(declaration)) return at;
    if (isFunction(declaration.initializer)) return at;
    at = bare(declaration.initializer);
  }
  return at;
}
