/** @file Places in texts. In: a span of a source file. Out: lines and columns as editors count them. */
import type { Range } from '../profile/diagnostic.ts';
import type { TS } from './typescript.ts';

export function rangeIn(
  source: TS.SourceFile,
  { start, end }: { readonly start: number; readonly end: number },
  file: string,
): Range {
  const at = (position: number) => {
    const { line, character } = source.getLineAndCharacterOfPosition(position);
    return { line: line + 1, column: character + 1 };
  };
  return { file, start: at(start), end: at(end) };
}
