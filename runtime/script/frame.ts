/** @file A line of source with a mark under a piece of it, for messages. In: the line and the place. Out: two lines to print. */
import { plain, type Paint } from '../profile/report.ts';

/** `^` stand under `width` characters from the place's column on. */
export function codeFrame(
  source: string,
  { line, column }: { readonly line: number; readonly column: number },
  width: number,
  paint: Pick<Paint, 'dim' | 'accent'> = plain,
): string {
  const gutter = String(line);
  // A tab stays one, so that the marks stand under the text.
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, ' ');
  const marks = '^'.repeat(Math.max(1, Math.min(width, source.length - column + 1)));
  return `${paint.dim(`${gutter} |`)} ${source}\n${paint.dim(`${' '.repeat(gutter.length)} |`)} ${indent}${paint.accent(marks)}`;
}
