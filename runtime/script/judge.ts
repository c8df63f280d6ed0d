/** @file What only TypeScript's checker knows, asked while code is compiled. In: a place in a file. Out: what the rules say of it. */
import { Analyser } from './analyse.ts';
import type { Position } from '../profile/diagnostic.ts';

let analyser: Analyser | undefined;

/** Whether a rule has something to say of what starts at this place. */
export function finds(code: string, file: string, { line, column }: Position): boolean {
  analyser ??= new Analyser();
  const { diagnostics, functions } = analyser.check(file);
  return [...diagnostics, ...functions.flatMap((f) => f.obstacles)].some(
    (d) => d.code === code && d.range.file === file && d.range.start.line === line && d.range.start.column === column,
  );
}
