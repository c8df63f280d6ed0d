/** @file What only TypeScript's checker knows, asked while code is compiled. In: a place in a file. Out: what the rules say of it. */
import { Analyser } from './analyse.ts';
import type { Position } from './diagnostic.ts';

let analyser: Analyser | undefined;

/** Whether the list that is walked at this place is of a type that can change. */
export function mayChange(file: string, { line, column }: Position): boolean {
  analyser ??= new Analyser();
  const { diagnostics, functions } = analyser.check(file);
  return [...diagnostics, ...functions.flatMap((f) => f.obstacles)].some(
    ({ code, range }) => code === 'JL203' && range.file === file && range.start.line === line && range.start.column === column,
  );
}
