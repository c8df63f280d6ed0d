/**
 * @file Makes a module tell where its functions were written. In: the text of a TypeScript or JavaScript file. Out: the same
 * with calls that put each function and class into the table of script/sources.ts, and a source map. No line is added and
 * nothing is imported; names, `this` and hoisting stay what they were.
 */
import MagicString, { type SourceMap } from 'magic-string';
import { SOURCES } from '../script/sources.ts';
import { ts, type TS } from '../script/typescript.ts';
import { isErased } from './erased.ts';
import { freeNames } from './names.ts';
import { hasKeepableName, inferredName, keyOf } from './inferred.ts';

export interface Instrumented {
  readonly code: string;
  readonly map: SourceMap;
}

type Written = TS.FunctionDeclaration | TS.FunctionExpression | TS.ArrowFunction | TS.ClassLikeDeclaration | TS.MethodDeclaration;
/** What function declarations can stand in. */
type Enclosing = TS.SourceFile | TS.Block | TS.ModuleBlock | TS.CaseOrDefaultClause;

/** `source` is how the map calls the file. Undefined where there is nothing to tell, or whoever compiles the text will refuse it. */
export function instrument(text: string, file: string, source = file): Instrumented | undefined {
  const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const { parseDiagnostics } = parsed as { parseDiagnostics?: readonly unknown[] };
  if (parseDiagnostics?.length) return undefined;
  const names = freeNames(parsed, isWritten);
  if (names.size === 0) return undefined;

  const out = new MagicString(text);
  const [tell, whole] = [unused('__source', text), unused('__object', text)];
  /** A call without its last argument, the function itself: V8 makes up a name for one that stands elsewhere. */
  const telling = (node: Written) => {
    const getters = [...(names.get(node) ?? [])].map((name) => `get ${name}() { return ${name} }`);
    return `${tell}(${node.getStart()}, ${node.end}, () => ({ ${getters.join(', ')} }), `;
  };
  /** Outer ones come first. */
  const wrap = (node: TS.Node, before: string, after: string) =>
    out.appendRight(node.getStart(), before).prependLeft(node.end, after);
  /** What is said at the start of blocks, by their place. */
  const starts = new Map<number, string>([[startOf(parsed), `const ${tell} = ${teller(file, text)};`]]);
  const atStart = (place: number, code: string) => starts.set(place, `${starts.get(place) ?? ''} ${code};`);

  for (const node of [...names.keys()].filter(isWritten)) {
    if (ts.isClassLike(node)) {
      out.appendLeft(node.members.pos, ` static { ${telling(node)}this); }`);
    } else if (ts.isFunctionDeclaration(node)) {
      const name = node.name?.text ?? unused('__default', text);
      const place = startOf(node.parent as Enclosing);
      atStart(place, `${telling(node)}${name})`);
      if (node.name) continue;
      // A default export is hoisted like any other function, so it gets a name to be found by; it is still called `default`.
      out.appendLeft(openOf(node), ` ${name}`);
      atStart(place, `Object.defineProperty(${name}, 'name', { value: 'default' })`);
    } else if (ts.isMethodDeclaration(node)) {
      const self = `${whole}[${JSON.stringify(keyOf(node.name))}]`;
      wrap(node.parent, `((${whole}) => (${telling(node)}${self}), ${whole}))(`, ')');
    } else {
      const name = JSON.stringify(inferredName(node));
      // JavaScript names a function after the property that it is written for.
      if (name === '""') wrap(node, telling(node), ')');
      else wrap(node, `${telling(node)}{ ${name}: `, ` }[${name}])`);
    }
  }
  for (const [place, code] of starts) out.appendLeft(place, `;${code} `);
  return { code: out.toString(), map: out.generateMap({ source, hires: 'boundary' }) };
}

function teller(file: string, text: string): string {
  const table = `globalThis[Symbol.for(${JSON.stringify(SOURCES)})] ??= new WeakMap()`;
  const entry = '{ file, text, start, end, get names() { return names() } }';
  const put = `(start, end, names, code) => (table.set(code, ${entry}), code)`;
  return `((file, text, table) => ${put})(${JSON.stringify(file)}, ${JSON.stringify(text)}, ${table})`;
}

function isWritten(node: TS.Node): node is Written {
  if (isErased(node)) return false;
  if (ts.isClassLike(node)) return true;
  if (ts.isFunctionDeclaration(node)) return node.body !== undefined && isEnclosing(node.parent);
  if (ts.isMethodDeclaration(node)) return ts.isObjectLiteralExpression(node.parent) && isFinal(node, node.parent);
  return (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) && hasKeepableName(node);
}

function isEnclosing(node: TS.Node): node is Enclosing {
  return ts.isSourceFile(node) || ts.isBlock(node) || ts.isModuleBlock(node) || ts.isCaseOrDefaultClause(node);
}

/** Whether it is what the object has under its name in the end. */
function isFinal(method: TS.MethodDeclaration, { properties }: TS.ObjectLiteralExpression): boolean {
  const key = keyOf(method.name);
  const later = properties.slice(properties.indexOf(method) + 1);
  return key !== undefined && later.every(({ name }) => name !== undefined && ![key, undefined].includes(keyOf(name)));
}

/** Functions are there from the start of their block; directives stay the first thing in it. */
function startOf(block: Enclosing): number {
  const { statements } = block;
  const behind = statements.findIndex((s) => !(ts.isExpressionStatement(s) && ts.isStringLiteral(s.expression)));
  const directive = statements[(behind < 0 ? statements.length : behind) - 1];
  if (directive) return directive.end;
  return ts.isSourceFile(block) ? (/^#!.*\r?\n?/.exec(block.text)?.[0].length ?? 0) : statements.pos;
}

/** Just behind `function` or `function*`. */
function openOf(node: TS.FunctionDeclaration): number {
  const keyword = node.asteriskToken ?? node.getChildren().find((child) => child.kind === ts.SyntaxKind.FunctionKeyword);
  return keyword?.end ?? node.getStart();
}

function unused(name: string, text: string): string {
  return text.includes(name) ? unused(`_${name}`, text) : name;
}
