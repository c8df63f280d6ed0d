/** @file Edits that fixes are made of. In: nodes. Out: changes of the text, the import of a name included where it is missing. */
import type { Change, FoundFix } from './context.ts';
import { functionAround, isFunctionLike, some, type FunctionNode } from './facts/functions.ts';
import { ts, type TS } from './typescript.ts';

export function fix(title: string, ...changes: readonly (Change | readonly Change[])[]): FoundFix {
  return { title, changes: changes.flat() };
}

/** A fix that changes what the code does or how it is called: its title says how. */
export function change(title: string, ...changes: readonly (Change | readonly Change[])[]): FoundFix {
  return { ...fix(title, ...changes), alone: true };
}

export function replace(node: TS.Node, text: string): Change {
  return { start: node.getStart(), end: node.end, text };
}

export function before(node: TS.Node, text: string): Change {
  return { start: node.getStart(), end: node.getStart(), text };
}

export function after(node: TS.Node, text: string): Change {
  return { start: node.end, end: node.end, text };
}

/** Takes a statement away with its line, when it has the line for itself. */
export function remove(node: TS.Node): Change {
  const { text } = node.getSourceFile();
  let [start, end] = [node.getStart(), node.end];
  while (start > 0 && /[ \t]/.test(text[start - 1] ?? '')) start--;
  const own = (start === 0 || text[start - 1] === '\n') && /^[ \t]*\r?\n/.test(text.slice(end));
  if (!own) return { start: node.getStart(), end: node.end, text: '' };
  end = text.indexOf('\n', end) + 1;
  return { start, end, text: '' };
}

/** The spaces that a line begins with. */
export function indentOf(node: TS.Node): string {
  const { text } = node.getSourceFile();
  const line = text.lastIndexOf('\n', node.getStart() - 1) + 1;
  return /^[ \t]*/.exec(text.slice(line))?.[0] ?? '';
}

/** What to write for one of JitLens's names, and the import that it needs. */
export function imported(
  file: TS.SourceFile,
  name: string,
  typeOnly = false,
): { readonly text: string; readonly changes: Change[] } {
  let into: TS.NamedImports | undefined;
  let typesOnly = false;
  for (const statement of file.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    if (statement.moduleSpecifier.text !== 'jitlens') continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings) continue;
    if (ts.isNamespaceImport(bindings)) return { text: `${bindings.name.text}.${name}`, changes: [] };
    const clauseOnlyTypes = statement.importClause.phaseModifier === ts.SyntaxKind.TypeKeyword;
    const known = bindings.elements.find((e) => (e.propertyName ?? e.name).text === name);
    if (known && (typeOnly || !(known.isTypeOnly || clauseOnlyTypes))) return { text: known.name.text, changes: [] };
    if (!clauseOnlyTypes || typeOnly) {
      into = bindings;
      typesOnly = clauseOnlyTypes;
    }
  }
  const word = typeOnly && !typesOnly ? `type ${name}` : name;
  const last = into?.elements.at(-1);
  if (last) return { text: name, changes: [after(last, `, ${word}`)] };
  const at = file.statements[0]?.getStart() ?? 0;
  const statement = `import ${typeOnly ? 'type ' : ''}{ ${name} } from 'jitlens';\n`;
  return { text: name, changes: [{ start: at, end: at, text: statement }] };
}

/** The statement of a block that contains a node. */
export function statementOf(node: TS.Node): TS.Statement | undefined {
  for (let at: TS.Node = node; at.parent as TS.Node | undefined; at = at.parent) {
    if (isFunctionLike(at)) return undefined;
    const { parent } = at;
    if (ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent)) return at as TS.Statement;
  }
  return undefined;
}

/** Puts a statement on a line of its own before the one around `node`. */
export function statementBefore(node: TS.Node, text: string): Change[] | undefined {
  const statement = statementOf(node);
  return statement && [before(statement, `${text}\n${indentOf(statement)}`)];
}

/** Text that can stand left of a `.`. */
export function operand(node: TS.Expression): string {
  const text = node.getText();
  const simple =
    ts.isIdentifier(node) ||
    ts.isPropertyAccessExpression(node) ||
    ts.isElementAccessExpression(node) ||
    ts.isCallExpression(node) ||
    ts.isParenthesizedExpression(node) ||
    node.kind === ts.SyntaxKind.ThisKeyword;
  return simple ? text : `(${text})`;
}

/**
 * What lets `await` stand at a node: nothing inside an async function or at a module's top, else `async` and a promised
 * result. `undefined` where nothing does.
 */
export function asyncAt(node: TS.Node): Change[] | undefined {
  const fn = nearest(node);
  if (fn === 'module') return [];
  if (fn === undefined) return undefined;
  if (ts.getModifiers(fn)?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)) return [];
  if (fn.asteriskToken) return undefined;
  const changes: Change[] = [];
  if (fn.type && !/^Promise\b/.test(fn.type.getText())) changes.push(before(fn.type, 'Promise<'), after(fn.type, '>'));
  const at = ts.isMethodDeclaration(fn) ? fn.name : ts.isFunctionDeclaration(fn) ? keyword(fn) : fn;
  return [before(at, 'async '), ...changes];
}

function keyword(fn: TS.FunctionDeclaration): TS.Node {
  return fn.getChildren().find((c) => c.kind === ts.SyntaxKind.FunctionKeyword) ?? fn;
}

function nearest(node: TS.Node): FunctionNode | 'module' | undefined {
  for (let at = node.parent as TS.Node | undefined; at; at = at.parent) {
    if (ts.isConstructorDeclaration(at) || ts.isAccessor(at) || ts.isClassStaticBlockDeclaration(at)) return undefined;
    if (ts.isParameter(at) || ts.isPropertyDeclaration(at)) return undefined;
    if (isFunctionLike(at)) return at as FunctionNode;
  }
  return ts.isExternalModule(node.getSourceFile()) ? 'module' : undefined;
}

/** A name that is not used in the function around a node: `bias`, else `bias2`. */
export function freeName(node: TS.Node, wanted: string): string {
  const root = functionAround(node) ?? node.getSourceFile();
  const taken = (name: string) => some(root, (n) => ts.isIdentifier(n) && n.text === name && !isProperty(n));
  let name = wanted;
  for (let i = 2; taken(name); i++) name = `${wanted}${i}`;
  return name;
}

function isProperty(node: TS.Identifier): boolean {
  if (ts.isPropertyAssignment(node.parent)) return node.parent.name === node;
  return ts.isPropertyAccessExpression(node.parent) && node.parent.name === node;
}
