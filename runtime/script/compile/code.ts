/**
 * @file The source of functions. In: a function, or a class's method. Out: its syntax and the names around it. Code that no loader
 * has noted is known by its own text; then what it takes from outside cannot be seen.
 */
import { JitLensError } from '../../errors.ts';
import { library } from '../library.ts';
import { originalOf } from '../marks.ts';
import { sourceOf, type Source } from '../sources.ts';
import { ts, type TS } from '../typescript.ts';
import { Scope } from './memory.ts';
import { Closure, type CodeFile } from './values.ts';

const files = new Map<string, CodeFile>();

export function parsed(file: string, text: string): CodeFile {
  const known = files.get(file);
  if (known?.tree.text === text) return known;
  const kind = /\.[cm]?js$/.test(file) ? ts.ScriptKind.JS : ts.ScriptKind.TS;
  const made = { file, exists: true, tree: ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true, kind) };
  files.set(file, made);
  return made;
}

function nodeAt({ tree }: CodeFile, { start, end }: Source): TS.Node | undefined {
  let found: TS.Node | undefined;
  const visit = (node: TS.Node): void => {
    if (found || node.end < end || node.pos > start) return;
    if ((ts.isFunctionLike(node) || ts.isClassLike(node)) && node.end === end && node.getStart(tree) === start) found = node;
    else ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function isCode(node: TS.Node | undefined): node is TS.FunctionLikeDeclaration {
  return node !== undefined && ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

/** The code of a function that the user wrote. */
export function closureOfFunction(fn: object): Closure | undefined {
  const original = originalOf(fn) ?? fn;
  const source = sourceOf(original);
  if (source) {
    const code = parsed(source.file, source.text);
    const node = nodeAt(code, source);
    return isCode(node) ? new Closure(node, code, new Scope(undefined, source.names), undefined) : undefined;
  }
  return typeof original === 'function' ? byItsText(original as (...args: never[]) => unknown) : undefined;
}

const byText = new WeakMap<object, Closure | 'none'>();

function byItsText(fn: (...args: never[]) => unknown): Closure | undefined {
  const known = byText.get(fn);
  if (known) return known === 'none' ? undefined : known;
  const text = Function.prototype.toString.call(fn);
  const made = /\[native code\]\s*\}$/.test(text) || text.startsWith('class') ? undefined : parseFunction(fn.name, text);
  byText.set(fn, made ?? 'none');
  return made;
}

function parseFunction(name: string, text: string): Closure | undefined {
  for (const whole of [`(${text})`, `({${text}})`]) {
    const tree = ts.createSourceFile(`${name || 'function'}.js`, whole, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
    if ((tree as { parseDiagnostics?: readonly unknown[] }).parseDiagnostics?.length) continue;
    let node: TS.Node | undefined;
    const visit = (at: TS.Node): void => {
      if (!node && isCode(at)) node = at;
      else if (!node) ts.forEachChild(at, visit);
    };
    visit(tree);
    if (isCode(node))
      return new Closure(node, { file: tree.fileName, tree, exists: false }, new Scope(undefined, library), undefined);
  }
  return undefined;
}

/** Code that calls a method of JitLens's own on its `this`. */
export function callOf(method: (...args: never[]) => unknown): Closure {
  const text = 'function call(...args) { return this[name](...args); }';
  const code = { ...parsed('jitlens.js', text), exists: false };
  const node = code.tree.statements[0];
  if (!isCode(node)) throw new JitLensError('JL-BUG', 'a call is code');
  return new Closure(node, code, new Scope(undefined, { name: method.name }), undefined);
}

/** The code of a method or getter that `owner`, a prototype or a class, has itself. */
export function closureOf(owner: object, name: string, kind: 'method' | 'get'): Closure | undefined {
  const isStatic = typeof owner === 'function';
  const source = sourceOf(isStatic ? owner : owner.constructor);
  if (!source) return undefined;
  const code = parsed(source.file, source.text);
  const node = nodeAt(code, source);
  if (!node || !ts.isClassLike(node)) return undefined;
  const member = node.members.find((m) => {
    if (!m.name || !('text' in m.name) || m.name.text !== name || !isCode(m)) return false;
    const fits = kind === 'get' ? ts.isGetAccessorDeclaration(m) : ts.isMethodDeclaration(m);
    return fits && ((ts.getCombinedModifierFlags(m) & ts.ModifierFlags.Static) !== 0) === isStatic;
  });
  return isCode(member) ? new Closure(member, code, new Scope(undefined, source.names), undefined, owner) : undefined;
}

/** The code of the method `fn` of `self`, found where it is defined; what compiles it may stand in its place there. */
export function closureOfMethod(self: unknown, fn: unknown): Closure | undefined {
  const isObject = (x: unknown): x is object => (typeof x === 'object' || typeof x === 'function') && x !== null;
  const isIt = (value: unknown) => value === fn || (typeof value === 'function' && originalOf(value) === fn);
  const start: unknown = typeof self === 'function' ? self : isObject(self) ? Object.getPrototypeOf(self) : undefined;
  for (let at = start; isObject(at); at = Object.getPrototypeOf(at)) {
    const name = Object.getOwnPropertyNames(at).find((key) => isIt(Object.getOwnPropertyDescriptor(at, key)?.value));
    if (name !== undefined) return closureOf(at, name, 'method');
  }
  return undefined;
}
