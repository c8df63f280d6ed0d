/**
 * @file What is written where. In: a file. Out: for a variable or a field, the places that assign it or change what it holds.
 * The text is looked through once; what its names mean is asked only for the names that somebody wants to know about.
 */
import { ts, type TS } from '../typescript.ts';
import { bare, isFunction, isLeaf, isWithin, walk } from './functions.ts';
import type { Types } from './types.ts';
import { dottedName } from './words.ts';

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

/** A write as the text tells: of which name, which may mean anything yet. */
interface Candidate extends Write {
  readonly name: TS.MemberName;
  /** What a method is called on that changes arrays, but means something else on a tensor. */
  readonly on?: TS.Expression;
}

export class Writes {
  private readonly known = new Map<TS.Symbol, Map<TS.SourceFile, readonly Write[]>>();

  constructor(private readonly types: Types) {}

  /** Writes of a symbol in the file where it is declared, and in `also`. */
  of(symbol: TS.Symbol | undefined, also?: TS.SourceFile): readonly Write[] {
    if (!symbol) return [];
    const files = new Set([symbol.declarations?.[0]?.getSourceFile(), also]);
    return [...files].flatMap((file) => (file && !file.isDeclarationFile ? this.in(symbol, file) : []));
  }

  /** Writes of a symbol below a node. */
  within(symbol: TS.Symbol | undefined, root: TS.Node): readonly Write[] {
    return this.of(symbol, root.getSourceFile()).filter(
      ({ node }) => node.getSourceFile() === root.getSourceFile() && node.pos >= root.pos && node.end <= root.end,
    );
  }

  private in(symbol: TS.Symbol, file: TS.SourceFile): readonly Write[] {
    const files = this.known.get(symbol) ?? new Map<TS.SourceFile, readonly Write[]>();
    this.known.set(symbol, files);
    let found = files.get(file);
    if (!found) {
      const { byName, renamed } = candidatesIn(file);
      found = [symbol.name, ...(renamed.get(symbol.name) ?? [])]
        .flatMap((name) => byName.get(name) ?? [])
        .filter(({ name, on }) => this.types.symbol(name) === symbol && !(on && this.types.mayBeTensor(this.types.of(on))));
      files.set(file, found);
    }
    return found;
  }
}

interface Candidates {
  readonly byName: ReadonlyMap<string, readonly Candidate[]>;
  /** What imports call a name here. */
  readonly renamed: ReadonlyMap<string, readonly string[]>;
  /** Names that are compared with a value: where they are equal to it, their type is that value. */
  readonly compared: ReadonlySet<string>;
}

const cache = new WeakMap<TS.SourceFile, Candidates>();

/** Names that are written below a node, without variables of its own. */
export function writtenIn(root: TS.Node, types: Types): string[] {
  const seen = ({ name, on }: Candidate) => {
    if (on && types.mayBeTensor(types.of(on))) return false;
    const declaration = types.symbol(name)?.declarations?.[0];
    return !declaration || ts.isParameter(declaration) || !isWithin(declaration, root);
  };
  return [...candidatesBelow(root).byName.values()].flatMap((writes) =>
    writes.filter(seen).map(({ kind, name }) => `${kind} ${name.text}`),
  );
}

function candidatesIn(file: TS.SourceFile): Candidates {
  let known = cache.get(file);
  if (!known) cache.set(file, (known = candidatesBelow(file)));
  return known;
}

function candidatesBelow(root: TS.Node): Candidates {
  const byName = new Map<string, Candidate[]>();
  const renamed = new Map<string, string[]>();
  const compared = new Set<string>();
  const compare = (...sides: TS.Expression[]) => {
    for (const side of sides.map(bare)) if (ts.isIdentifier(side)) compared.add(side.text);
  };
  const put = <T>(map: Map<string, T[]>, key: string, value: T) => {
    const list = map.get(key);
    if (list) list.push(value);
    else map.set(key, [value]);
  };
  const add = (name: TS.MemberName, write: Write, on?: TS.Expression) => put(byName, name.text, { ...write, name, on });
  const mutated = (target: TS.Expression, node: TS.Node, on?: TS.Expression) => {
    let at = bare(target);
    for (;;) {
      if (ts.isIdentifier(at)) {
        add(at, { kind: 'mutate', node }, on);
        return;
      }
      if (ts.isPropertyAccessExpression(at)) add(at.name, { kind: 'mutate', node }, on);
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
  walk(root, (node) => {
    if (isLeaf(node)) return false;
    if (ts.isImportSpecifier(node) && node.propertyName) put(renamed, node.propertyName.text, node.name.text);
    else if (ts.isImportClause(node) && node.name) put(renamed, 'default', node.name.text);
    else if (ts.isBinaryExpression(node)) {
      if (isAssignment(node)) assigned(node.left, node, node.right);
      else if (isEquality(node)) compare(node.left, node.right);
    } else if (ts.isSwitchStatement(node)) compare(node.expression);
    else if ((ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) && isStep(node))
      assigned(node.operand, node);
    else if (ts.isDeleteExpression(node)) assigned(node.expression, node);
    else if (ts.isForOfStatement(node) || ts.isForInStatement(node)) {
      if (!ts.isVariableDeclarationList(node.initializer)) assigned(node.initializer, node.initializer);
    } else if (ts.isCallExpression(node)) {
      const { expression } = node;
      if (!ts.isPropertyAccessExpression(expression)) return true;
      if (MUTATORS.has(expression.name.text)) mutated(expression.expression, node, expression.expression);
      const [first] = node.arguments;
      if (first && dottedName(expression) === 'Object.assign') mutated(first, node);
    }
    return true;
  });
  return { byName, renamed, compared };
}

/** Whether a file asks somewhere whether what has this name is a certain value. */
export function isCompared(name: string, file: TS.SourceFile): boolean {
  return candidatesIn(file).compared.has(name);
}

function isEquality({ operatorToken: { kind } }: TS.BinaryExpression): boolean {
  return (
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
    kind === ts.SyntaxKind.EqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsToken
  );
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
