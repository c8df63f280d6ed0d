/** @file Many fixes as one edit. In: diagnostics of a file. Out: the edits of their first fixes that can be made together. */
import type { Diagnostic, Edit, Position } from '../../runtime/script/diagnostic.ts';

/** A fix is made whole or not at all; one that touches what another changed is left for the next time. */
export function fixAll(diagnostics: readonly Diagnostic[]): Edit[] {
  const made: Edit[] = [];
  for (const { fixes } of diagnostics) {
    const edits = (fixes[0]?.edits ?? []).filter((edit) => !made.some((other) => isSame(edit, other)));
    if (edits.every((edit) => !made.some((other) => overlap(edit, other)))) made.push(...edits);
  }
  return made;
}

/** As two fixes that import the same name. */
function isSame(a: Edit, b: Edit): boolean {
  const atSamePlace = compare(a.range.start, b.range.start) === 0 && compare(a.range.end, b.range.end) === 0;
  return a.text === b.text && a.range.file === b.range.file && atSamePlace;
}

function overlap(a: Edit, b: Edit): boolean {
  if (a.range.file !== b.range.file) return false;
  return compare(a.range.start, b.range.end) <= 0 && compare(b.range.start, a.range.end) <= 0;
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}
