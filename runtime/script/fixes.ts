/** @file Many fixes at once. In: a text and what was found in it. Out: the text with the first fix of each, none over another. */
import type { Diagnostic, Position } from './diagnostic.ts';

interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export function applyFixes(text: string, diagnostics: readonly Diagnostic[]): { readonly text: string; readonly count: number } {
  const lines = [0];
  for (let i = 0; i < text.length; i++) if (text[i] === '\n') lines.push(i + 1);
  const offset = ({ line, column }: Position) => (lines[line - 1] ?? text.length) + column - 1;
  const taken: Change[] = [];
  let count = 0;
  for (const { fixes, severity } of diagnostics) {
    const [fix] = fixes;
    // A hint is no mistake.
    if (!fix || severity === 'hint') continue;
    const changes = fix.edits
      .map((e) => ({ start: offset(e.range.start), end: offset(e.range.end), text: e.text }))
      // The same import serves several fixes.
      .filter((c) => !taken.some((t) => t.start === c.start && t.end === c.end && t.text === c.text && c.start === c.end));
    if (changes.some((c) => taken.some((t) => overlaps(c, t)))) continue;
    taken.push(...changes);
    count++;
  }
  taken.sort((a, b) => b.start - a.start || b.end - a.end);
  return { text: taken.reduce((out, c) => out.slice(0, c.start) + c.text + out.slice(c.end), text), count };
}

function overlaps(a: Change, b: Change): boolean {
  if (a.start === a.end && b.start === b.end) return a.start === b.start;
  return a.start < b.end && b.start < a.end;
}
