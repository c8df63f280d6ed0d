/**
 * @file Which names a function uses without declaring them. In: a parsed file and the pieces of code that ask. Out: for each,
 * the names in value position that an enclosing scope of the file declares. May be too many, never too few: a reader looks at
 * none that it does not need. Names that only exist as types are not among them.
 */
import { ts, type TS } from '../script/typescript.ts';
import { isErased } from './erased.ts';

type Names = Set<string>;

interface Asker {
  /** How many of the scopes around it are visible where its names will be read. */
  readonly depth: number;
  readonly names: Names;
}

export function freeNames(file: TS.SourceFile, asks: (node: TS.Node) => boolean): Map<TS.Node, Names> {
  const found = new Map<TS.Node, Names>();
  const scopes: Names[] = [];
  const askers: Asker[] = [];

  const within = (names: Names, inside: () => void) => {
    if (names.size > 0) scopes.push(names);
    inside();
    if (names.size > 0) scopes.pop();
  };
  const refer = (name: string) => {
    const declaredAt = scopes.findLastIndex((scope) => scope.has(name));
    if (declaredAt >= 0) for (const { depth, names } of askers) if (declaredAt < depth) names.add(name);
  };
  const visit = (node: TS.Node): void => {
    if (isErased(node)) return;
    if (ts.isIdentifier(node)) return refer(node.text);
    if (!asks(node)) return inside(node);
    // A class expression's names are read in its body, where its own is visible too.
    within(new Set(ts.isClassExpression(node) && node.name ? [node.name.text] : []), () => {
      const names = new Set<string>();
      found.set(node, names);
      askers.push({ depth: scopes.length, names });
      inside(node);
      askers.pop();
    });
  };
  const inside = (node: TS.Node): void => {
    if (ts.isShorthandPropertyAssignment(node)) refer(node.name.text);
    within(declaredBy(node), () => {
      ts.forEachChild(node, (child) => {
        if (!isLabel(node, child)) visit(child);
      });
    });
  };
  visit(file);
  return found;
}

/** An identifier that names a declaration, a property or a label, and refers to nothing. */
function isLabel(node: TS.Node, child: TS.Node): boolean {
  if (!ts.isIdentifier(child)) return false;
  if (ts.isShorthandPropertyAssignment(node)) return child === node.name;
  const { name, propertyName, label } = node as { name?: TS.Node; propertyName?: TS.Node; label?: TS.Node };
  return child === name || child === propertyName || child === label;
}

/** The names of the scope that a node opens. */
function declaredBy(node: TS.Node): Names {
  const names: Names = new Set();
  if (ts.isFunctionExpression(node) && node.name) names.add(node.name.text);
  if (ts.isFunctionLike(node)) for (const { name } of node.parameters) bind(name, names);
  if (ts.isSourceFile(node) || ts.isBlock(node) || ts.isModuleBlock(node)) declare(node.statements, names);
  if (ts.isCaseBlock(node)) for (const clause of node.clauses) declare(clause.statements, names);
  if (ts.isCatchClause(node) && node.variableDeclaration) bind(node.variableDeclaration.name, names);
  if (ts.isForStatement(node) || ts.isForInStatement(node) || ts.isForOfStatement(node)) {
    const { initializer } = node;
    if (initializer && ts.isVariableDeclarationList(initializer)) bindAll(initializer, names);
  }
  if (isBody(node)) hoisted(node, names);
  return names;
}

/** Where a `var` of an inner block belongs. */
function isBody(node: TS.Node): boolean {
  if (ts.isBlock(node)) return ts.isFunctionLike(node.parent) || ts.isClassStaticBlockDeclaration(node.parent);
  return ts.isSourceFile(node) || ts.isModuleBlock(node);
}

function declare(statements: readonly TS.Statement[], names: Names): void {
  for (const statement of statements) {
    if (isErased(statement)) continue;
    if (ts.isVariableStatement(statement)) bindAll(statement.declarationList, names);
    else if (ts.isImportDeclaration(statement)) imported(statement, names);
    else if (
      ts.isFunctionDeclaration(statement) ||
      ts.isClassDeclaration(statement) ||
      ts.isEnumDeclaration(statement) ||
      ts.isModuleDeclaration(statement) ||
      ts.isImportEqualsDeclaration(statement)
    ) {
      if (statement.name) names.add(statement.name.text);
    }
  }
}

function imported({ importClause }: TS.ImportDeclaration, names: Names): void {
  if (!importClause || importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return;
  if (importClause.name) names.add(importClause.name.text);
  const { namedBindings } = importClause;
  if (!namedBindings) return;
  if (ts.isNamespaceImport(namedBindings)) names.add(namedBindings.name.text);
  else for (const { name, isTypeOnly } of namedBindings.elements) if (!isTypeOnly) names.add(name.text);
}

/** `var` reaches up to its function. */
function hoisted(node: TS.Node, names: Names): void {
  ts.forEachChild(node, (child) => {
    if (ts.isFunctionLike(child) || ts.isClassLike(child)) return;
    if (ts.isVariableDeclarationList(child) && (child.flags & ts.NodeFlags.BlockScoped) === 0) bindAll(child, names);
    hoisted(child, names);
  });
}

function bindAll({ declarations }: TS.VariableDeclarationList, names: Names): void {
  for (const { name } of declarations) bind(name, names);
}

function bind(name: TS.BindingName, names: Names): void {
  if (ts.isIdentifier(name)) names.add(name.text);
  else for (const element of name.elements) if (ts.isBindingElement(element)) bind(element.name, names);
}
