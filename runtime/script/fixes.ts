/** @file Many fixes at once. In: what was found in a file. Out: the edits of the first fix of each that keeps the
 * meaning, none over another. */
import type { Diagnostic, Edit, Fix, Position } from '../profile/diagnostic.ts';

interface Together {
  readonly edits: readonly Edit[];
  /** How many fixes they are. */
  readonly count: number;
}

/** A hint is no mistake, and what nobody wrote a fix for stays. */
export function isFixable(diagnostic: Diagnostic): boolean {
  return firstOf(diagnostic) !== undefined && diagnostic.severity !== 'hint';
}

function firstOf({ fixes }: Diagnostic): Fix | undefined {
  return fixes.find(({ alone }) => !alone);
}

/** A fix is made whole or not at all; one that meets another is left for the next time. */
export function together(diagnostics: readonly Diagnostic[]): Together {
  const taken: Edit[] = [];
  let count = 0;
  for (const diagnostic of diagnostics.filter(isFixable)) {
    // The same import serves several fixes.
    const edits = (firstOf(diagnostic)?.edits ?? []).filter(
      (edit) => !taken.some((other) => isEmpty(edit) && isSame(edit, other)),
    );
    if (edits.some((edit) => taken.some((other) => overlaps(edit, other)))) continue;
    taken.push(...edits);
    count++;
  }
  return { edits: taken, count };
}

export function applyFixes(text: string, diagnostics: readonly Diagnostic[]): { readonly text: string; readonly count: number } {
  const lines = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') lines.push(i + 1);
  const offset = ({ line, column }: Position) => (lines[line - 1] ?? text.length) + column - 1;
  const { edits, count } = together(diagnostics);
  const changes = edits.map(({ range, text: to }) => ({ start: offset(range.start), end: offset(range.end), text: to }));
  changes.sort((a, b) => b.start - a.start || b.end - a.end);
  return { text: changes.reduce((out, c) => out.slice(0, c.start) + c.text + out.slice(c.end), text), count };
}

function isEmpty({ range }: Edit): boolean {
  return compare(range.start, range.end) === 0;
}

function isSame(a: Edit, b: Edit): boolean {
  return a.text === b.text && compare(a.range.start, b.range.start) === 0 && compare(a.range.end, b.range.end) === 0;
}

function overlaps(a: Edit, b: Edit): boolean {
  if (isEmpty(a) && isEmpty(b)) return compare(a.range.start, b.range.start) === 0;
  return compare(a.range.start, b.range.end) < 0 && compare(b.range.start, a.range.end) < 0;
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}
