/**
 * @file JL612: arms of branches that a trace never took. In: what did not run while it was recorded. Out: a warning at each arm: in
 * calls of other values the trace goes the way it was recorded, unless a guard sees the difference.
 */
import { readFileSync } from 'node:fs';
import { mapped } from '../frames.ts';
import { parsed } from './compile/code.ts';
import type { Unrun } from './coverage.ts';
import type { Diagnostic, Range } from '../profile/diagnostic.ts';
import { ts, type TS } from './typescript.ts';

export function untakenArms(unrun: readonly Unrun[]): Diagnostic[] {
  return unrun.flatMap((script) => {
    const tree = ts.createSourceFile(script.url, script.code, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS);
    const found: Diagnostic[] = [];
    const visit = (node: TS.Node): void => {
      for (const arm of armsOf(node)) if (skipped(arm, tree, script)) found.push(...atSource(arm, tree, script));
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  });
}

/** The arms of an `if` or of a conditional expression. */
function armsOf(node: TS.Node): readonly TS.Node[] {
  if (ts.isIfStatement(node)) return [node.thenStatement, ...(node.elseStatement ? [node.elseStatement] : [])];
  return ts.isConditionalExpression(node) ? [node.whenTrue, node.whenFalse] : [];
}

function skipped(arm: TS.Node, tree: TS.SourceFile, { ranges }: Unrun): boolean {
  const inside = firstOf(arm).getStart(tree);
  const within = ranges.find((r) => r.start <= inside && firstOf(arm).end <= r.end);
  // An arm inside one that was not taken is reported with that one.
  return within !== undefined && !armsAbove(arm).some((outer) => within.start <= outer.getStart(tree) && outer.end <= within.end);
}

function* above(node: TS.Node): Generator<TS.Node> {
  for (let at = node.parent as TS.Node | undefined; at; at = at.parent as TS.Node | undefined) yield at;
}

function armsAbove(arm: TS.Node): TS.Node[] {
  return [...above(arm)].filter((node) => {
    const parent = node.parent as TS.Node | undefined;
    return parent !== undefined && armsOf(parent).includes(node);
  });
}

/** What stands first in it: source maps know statements, not braces. */
function firstOf(arm: TS.Node): TS.Node {
  return ts.isBlock(arm) ? (arm.statements[0] ?? arm) : arm;
}

function atSource(arm: TS.Node, tree: TS.SourceFile, { url }: Unrun): Diagnostic[] {
  const start = tree.getLineAndCharacterOfPosition(firstOf(arm).getStart(tree));
  const place = mapped(url, start.line + 1, start.character + 1);
  const source = sourceTree(place.file);
  if (!source || place.line > source.getLineStarts().length) return [];
  const offset = source.getPositionOfLineAndCharacter(place.line - 1, place.column - 1);
  const own = armAt(source, offset);
  if (!own) return [];
  const whole = ts.isIfStatement(own.parent) || ts.isConditionalExpression(own.parent) ? own.parent : own;
  const test = ts.isIfStatement(whole) ? whole.expression : ts.isConditionalExpression(whole) ? whole.condition : whole;
  return [
    {
      code: 'JL612',
      severity: 'warning',
      message: `the trace never went this way: ‘${short(test.getText(source))}’ was ${isOtherwise(own) ? 'true' : 'false'} while it was recorded`,
      range: rangeOf(source, place.file, own),
      related: [{ message: 'the condition', range: rangeOf(source, place.file, test) }],
      fixes: [],
    },
  ];
}

function isOtherwise(arm: TS.Node): boolean {
  const { parent } = arm;
  return ts.isIfStatement(parent) ? parent.elseStatement === arm : ts.isConditionalExpression(parent) && parent.whenFalse === arm;
}

/** A file as it is on disk; nothing where there is none. */
export function sourceTree(file: string): TS.SourceFile | undefined {
  try {
    return parsed(file, readFileSync(file, 'utf8')).tree;
  } catch {
    return undefined;
  }
}

/** The innermost arm whose first piece starts at this place. */
function armAt(tree: TS.SourceFile, offset: number): TS.Node | undefined {
  let found: TS.Node | undefined;
  const visit = (node: TS.Node): void => {
    if (node.pos > offset || node.end < offset) return;
    for (const arm of armsOf(node)) if (firstOf(arm).getStart(tree) === offset) found = arm;
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

function rangeOf(tree: TS.SourceFile, file: string, node: TS.Node): Range {
  const at = (position: number) => {
    const { line, character } = tree.getLineAndCharacterOfPosition(position);
    return { line: line + 1, column: character + 1 };
  };
  return { file, start: at(node.getStart(tree)), end: at(node.end) };
}

function short(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
}
