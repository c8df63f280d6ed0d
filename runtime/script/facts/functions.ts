/**
 * @file Functions of a file. In: syntax. Out: their names, their bodies, which of them contains a node. A function's key is
 * its file and name, so that it means the same function after an edit elsewhere.
 */
import { ts, type TS } from '../typescript.ts';

export type FunctionNode = TS.FunctionDeclaration | TS.MethodDeclaration | TS.FunctionExpression | TS.ArrowFunction;

/** A name, a word or a sign: most nodes are one of them, and few questions are about them. */
export function isLeaf(node: TS.Node): boolean {
  return node.kind < ts.SyntaxKind.FirstNode;
}

export function isFunction(node: TS.Node): node is FunctionNode {
  if (isLeaf(node)) return false;
  return (
    ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isFunctionExpression(node) || ts.isArrowFunction(node)
  );
}

/** Also constructors and accessors, which are never compiled by themselves. */
export function isFunctionLike(node: TS.Node): boolean {
  return isFunction(node) || ts.isConstructorDeclaration(node) || ts.isAccessor(node);
}

/** What names a function: its own name, or the variable or property that it is given to. */
export function nameNode(fn: FunctionNode): TS.Node | undefined {
  if (fn.name) return fn.name;
  let { parent } = fn;
  while (ts.isParenthesizedExpression(parent) || ts.isCallExpression(parent)) ({ parent } = parent);
  if (ts.isVariableDeclaration(parent) || ts.isPropertyDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name;
  return undefined;
}

/** `Block.forward`, `gelu`; `line 7` for one that nothing names. */
export function nameOf(fn: FunctionNode): string {
  const name = nameNode(fn)?.getText();
  const owner = classOf(fn);
  if (name === undefined) return `line ${fn.getSourceFile().getLineAndCharacterOfPosition(fn.getStart()).line + 1}`;
  return owner && fn.parent === owner ? `${owner.name?.text ?? 'class'}.${name}` : name;
}

export function classOf(node: TS.Node): TS.ClassLikeDeclaration | undefined {
  for (let at = node.parent as TS.Node | undefined; at; at = at.parent) {
    if (ts.isClassLike(at)) return at;
    if (ts.isFunctionDeclaration(at) || ts.isFunctionExpression(at)) return undefined;
  }
  return undefined;
}

/** The functions of a file in order, outer ones first, by key. */
export function functionsOf(file: TS.SourceFile): ReadonlyMap<string, FunctionNode> {
  const known = cache.get(file);
  if (known) return known;
  const functions = new Map<string, FunctionNode>();
  const visit = (node: TS.Node) => {
    if (isFunction(node) && node.body) {
      // Not by its line, which an edit before it changes.
      const name = `${file.fileName}#${nameNode(node) ? nameOf(node) : ''}`;
      let key = name;
      for (let i = 2; functions.has(key); i++) key = `${name}~${i}`;
      functions.set(key, node);
      keys.set(node, key);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  cache.set(file, functions);
  return functions;
}

const cache = new WeakMap<TS.SourceFile, ReadonlyMap<string, FunctionNode>>();
const keys = new WeakMap<FunctionNode, string>();

export function keyOf(fn: FunctionNode): string {
  functionsOf(fn.getSourceFile());
  return keys.get(fn) ?? '';
}

/** The nearest function around a node. */
export function functionAround(node: TS.Node): FunctionNode | undefined {
  for (let at = node.parent as TS.Node | undefined; at; at = at.parent) if (isFunction(at)) return at;
  return undefined;
}

export function isWithin(node: TS.Node, outer: TS.Node): boolean {
  return node.getSourceFile() === outer.getSourceFile() && node.pos >= outer.pos && node.end <= outer.end;
}

/** All nodes below, in order; `enter` may keep out of one by giving false. */
export function walk(root: TS.Node, enter: (node: TS.Node) => boolean | undefined): void {
  // One function for all nodes: one for each would be a large part of what an analysis allocates.
  const visit = (node: TS.Node): void => {
    if (enter(node) !== false) ts.forEachChild(node, visit);
  };
  ts.forEachChild(root, visit);
}

export function some(root: TS.Node, test: (node: TS.Node) => boolean): boolean {
  const visit = (node: TS.Node): true | undefined => test(node) || ts.forEachChild(node, visit) || undefined;
  return visit(root) ?? false;
}

/** The expression without parentheses, `as`, `satisfies` and `!`. */
export function bare(node: TS.Expression): TS.Expression {
  let at = node;
  while (
    ts.isParenthesizedExpression(at) ||
    ts.isAsExpression(at) ||
    ts.isSatisfiesExpression(at) ||
    ts.isNonNullExpression(at) ||
    ts.isTypeAssertionExpression(at)
  )
    at = at.expression;
  return at;
}

export function isLoop(node: TS.Node): node is TS.IterationStatement {
  return ts.isIterationStatement(node, false);
}

/** The functions with bodies that a symbol stands for; overloads stand for what implements them. */
export function declaredFunctions(symbol: TS.Symbol | undefined): FunctionNode[] {
  const functions: FunctionNode[] = [];
  for (const declaration of symbol?.declarations ?? []) {
    if (isFunction(declaration)) {
      if (declaration.body) functions.push(declaration);
    } else if ((ts.isVariableDeclaration(declaration) || ts.isPropertyDeclaration(declaration)) && declaration.initializer) {
      if (isFunction(declaration.initializer)) functions.push(declaration.initializer);
    }
  }
  return functions;
}
