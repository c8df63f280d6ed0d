/**
 * Declaration files without what nobody asks for. In: their texts, names that are wanted. Out: the texts of the files that these
 * lead to, with nothing else in them; lines keep their numbers. It goes by names alone, so it may keep too much, never too little.
 */
import { dirname, join } from 'node:path';
import ts from 'typescript';

export class Declarations {
  #files = new Map();
  #read;

  constructor(read) {
    this.#read = read;
  }

  /** Keeps what a file exports by this name; `*` is all of it. */
  want(path, name) {
    const file = this.#file(path);
    if (file.wanted.has(name)) return;
    file.wanted.add(name);
    for (const statement of file.source.statements) this.#wantFrom(file, statement, name);
  }

  *texts() {
    for (const [path, file] of this.#files) yield [path, textOf(file)];
  }

  #file(path) {
    const known = this.#files.get(path);
    if (known) return known;
    const source = ts.createSourceFile(path, this.#read(path), ts.ScriptTarget.Latest, true);
    const file = { path, source, wanted: new Set(), kept: new Set(), locals: new Map(), imports: new Map() };
    this.#files.set(path, file);
    for (const statement of source.statements) {
      if (ts.isImportDeclaration(statement)) for (const one of bindings(statement)) file.imports.set(one.name.text, one);
      for (const name of declared(statement)) file.locals.set(name, [...(file.locals.get(name) ?? []), statement]);
    }
    // What is added to other modules is there for whoever reads this one.
    for (const statement of source.statements)
      if (ts.isModuleDeclaration(statement) && !ts.isIdentifier(statement.name)) this.#keep(file, statement);
    return file;
  }

  #wantFrom(file, statement, name) {
    if (!ts.isExportDeclaration(statement)) {
      const isPublic =
        ts.canHaveModifiers(statement) && ts.getModifiers(statement)?.some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
      if (isPublic && (name === '*' || declared(statement).includes(name))) this.#keep(file, statement);
      return;
    }
    const target = targetOf(file.path, statement.moduleSpecifier);
    const { exportClause } = statement;
    if (!exportClause) {
      file.kept.add(statement);
      this.want(target, name);
    } else if (ts.isNamespaceExport(exportClause)) {
      if (name !== '*' && name !== exportClause.name.text) return;
      file.kept.add(statement);
      this.want(target, '*');
    } else {
      for (const one of exportClause.elements) {
        if (name !== '*' && name !== one.name.text) continue;
        file.kept.add(one).add(statement);
        const inner = (one.propertyName ?? one.name).text;
        if (target) this.want(target, inner);
        else this.#use(file, inner);
      }
    }
  }

  #keep(file, statement) {
    if (file.kept.has(statement)) return;
    file.kept.add(statement);
    const visit = (node) => {
      if (ts.isImportTypeNode(node)) {
        const target = targetOf(file.path, node.argument.literal);
        if (target) this.want(target, node.qualifier ? leftmost(node.qualifier).text : '*');
        node.typeArguments?.forEach(visit);
        return;
      }
      const [space, member] = ts.isQualifiedName(node)
        ? [node.left, node.right]
        : ts.isPropertyAccessExpression(node)
          ? [node.expression, node.name]
          : [];
      if (space && ts.isIdentifier(space)) {
        this.#use(file, space.text, member.text);
        return;
      }
      if (ts.isIdentifier(node) && !isMember(node)) this.#use(file, node.text);
      ts.forEachChild(node, visit);
    };
    visit(statement);
  }

  /** Keeps what a name of the file stands for, or one member where it stands for a module. */
  #use(file, name, member = '*') {
    for (const statement of file.locals.get(name) ?? []) this.#keep(file, statement);
    const binding = file.imports.get(name);
    if (!binding) return;
    file.kept.add(binding);
    const statement = ts.findAncestor(binding, ts.isImportDeclaration);
    file.kept.add(statement);
    const target = targetOf(file.path, statement.moduleSpecifier);
    if (!target) return;
    if (ts.isNamespaceImport(binding)) this.want(target, member);
    else this.want(target, ts.isImportSpecifier(binding) ? (binding.propertyName ?? binding.name).text : 'default');
  }
}

/** The file that is meant; nothing for a package's. */
function targetOf(path, specifier) {
  return specifier?.text.startsWith('.') ? join(dirname(path), specifier.text).replace(/\.ts$/, '.d.ts') : undefined;
}

function bindings({ importClause }) {
  const { name, namedBindings } = importClause ?? {};
  const others = namedBindings ? (ts.isNamespaceImport(namedBindings) ? [namedBindings] : namedBindings.elements) : [];
  return name ? [importClause, ...others] : [...others];
}

/** The names that a statement declares in its file. */
function declared(statement) {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map((d) => d.name.text);
  return statement.name && ts.isIdentifier(statement.name) ? [statement.name.text] : [];
}

function leftmost(name) {
  return ts.isQualifiedName(name) ? leftmost(name.left) : name;
}

/** Whether a name is only that of a property or a parameter. */
function isMember(node) {
  const { parent } = node;
  const isName =
    ts.isTypeElement(parent) ||
    ts.isClassElement(parent) ||
    ts.isParameter(parent) ||
    ts.isNamedTupleMember(parent) ||
    ts.isPropertyAssignment(parent);
  return isName && parent.name === node;
}

function textOf({ source, kept }) {
  let text = '';
  let at = 0;
  const drop = (start, end) => {
    text += source.text.slice(at, start) + source.text.slice(start, end).replaceAll(/[^\n]+/g, '');
    at = end;
  };
  const trim = (elements) => {
    const gone = elements.filter((one) => !kept.has(one));
    for (const one of gone) drop(one.pos, source.text[one.end] === ',' ? one.end + 1 : one.end);
  };
  for (const statement of source.statements) {
    const isEmpty = ts.isExportDeclaration(statement) && statement.exportClause?.elements?.length === 0;
    if (!kept.has(statement) && !isEmpty) drop(statement.pos, statement.end);
    else if (ts.isImportDeclaration(statement)) {
      const clause = statement.importClause?.namedBindings;
      if (clause && ts.isNamedImports(clause)) trim(clause.elements);
    } else if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause))
      trim(statement.exportClause.elements);
  }
  const rest = text + source.text.slice(at);
  // A file that exports nothing any more is still a module.
  return /^\s*(import|export)\b/m.test(rest) ? rest : `${rest.trimEnd()}export {};\n`;
}
