/**
 * @file A file as its outermost functions and the rest. In: two versions of a file. Out: the one function in whose body they
 * differ, where that is all; and what of a function others can see, so that they need not be looked at anew while it stays.
 */
import { ts, type TS } from '../typescript.ts';
import { declaredFunctions, isFunctionLike, nameOf, walk } from './functions.ts';
import type { Types } from './types.ts';
import { writtenIn } from './writes.ts';

export interface Pieces {
  /** Outermost functions in order; constructors are none, as they declare what others see. */
  readonly nodes: readonly TS.Node[];
  /** The text without the bodies of these functions. */
  readonly rest: string;
}

/** A change of text: `start` to `end` became longer or shorter by `by`. */
export interface Shift {
  readonly start: number;
  readonly end: number;
  readonly by: number;
}

export interface Change {
  /** Which of the pieces. */
  readonly piece: number;
  readonly shift: Shift;
}

/** A change that others do not see in their types. */
export interface Inside extends Change {
  readonly file: string;
  readonly was: TS.Node;
  readonly is: TS.Node;
}

const cache = new WeakMap<TS.SourceFile, Pieces>();

export function piecesOf(file: TS.SourceFile): Pieces {
  const known = cache.get(file);
  if (known) return known;
  const nodes: TS.Node[] = [];
  let rest = '';
  let from = 0;
  walk(file, (node) => {
    const body =
      isFunctionLike(node) && !ts.isConstructorDeclaration(node) ? (node as TS.FunctionLikeDeclaration).body : undefined;
    if (!body) return true;
    nodes.push(node);
    // A mark that no text has.
    rest += `${file.text.slice(from, body.pos)}\0`;
    from = body.end;
    return false;
  });
  const pieces = { nodes, rest: rest + file.text.slice(from) };
  cache.set(file, pieces);
  return pieces;
}

/** The change, where one function's body is all that differs. */
export function changeBetween(was: TS.SourceFile, is: TS.SourceFile): Change | undefined {
  const [a, b] = [piecesOf(was), piecesOf(is)];
  if (a.rest !== b.rest || a.nodes.length !== b.nodes.length) return undefined;
  const changed = a.nodes.flatMap((node, i) => (textOf(node, was) === textOf(b.nodes[i], is) ? [] : [i]));
  const [piece = -1, ...more] = changed;
  const [before, after] = [a.nodes[piece], b.nodes[piece]];
  if (!before || !after || more.length > 0) return undefined;
  return { piece, shift: { start: before.pos, end: before.end, by: after.end - before.end } };
}

function textOf(node: TS.Node | undefined, file: TS.SourceFile): string {
  return node ? file.text.slice(node.pos, node.end) : '';
}

/** The same place after the change; `undefined` within what changed. */
export function moved<P extends { readonly start: number; readonly end: number }>(place: P, shift: Shift): P | undefined {
  if (place.end <= shift.start) return place;
  if (place.start < shift.end) return undefined;
  return { ...place, start: place.start + shift.by, end: place.end + shift.by };
}

/** What the types of other functions can depend on. */
export function outsideOf(piece: TS.Node, types: Types): string {
  const seen = [types.checker.typeToString(types.of(piece), undefined, ts.TypeFormatFlags.NoTruncation)];
  const isScript = (piece.flags & ts.NodeFlags.JavaScriptFile) !== 0;
  walk(piece, (node) => {
    if (ts.isClassLike(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node))
      seen.push(node.getText());
    // In JavaScript, an assignment declares.
    else if (isScript && ts.isBinaryExpression(node) && ts.isPropertyAccessExpression(node.left)) seen.push(node.getText());
    return true;
  });
  return seen.join('\n');
}

/** What else others may want to know: which functions it calls, and what it writes. */
export function beyondOf(piece: TS.Node, types: Types): string {
  const seen = new Set(writtenIn(piece, types));
  walk(piece, (node) => {
    if (!ts.isCallExpression(node)) return true;
    const { expression } = node;
    const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
    const callees = ts.isIdentifier(name) ? declaredFunctions(types.symbol(name)) : [];
    for (const callee of callees) seen.add(`${callee.getSourceFile().fileName} ${nameOf(callee)}`);
    return true;
  });
  return [...seen].sort().join('\n');
}
