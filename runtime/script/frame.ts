/** @file A piece of source with a mark under it, for messages. In: a text and a place in it. Out: lines to print. */
const AROUND = 1;

/** The line with its neighbours, numbered, and `^` under `length` characters from `column` on; both count from 1. */
export function codeFrame(text: string, line: number, column: number, length: number): string {
  const lines = text.split(/\r?\n/);
  const first = Math.max(1, line - AROUND);
  const last = Math.min(lines.length, line + AROUND);
  const width = String(last).length;
  const out: string[] = [];
  for (let n = first; n <= last; n++) {
    const content = lines[n - 1] ?? '';
    out.push(`${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${content}`.trimEnd());
    if (n !== line) continue;
    // Tabs stay tabs, so that the mark stands where the text does.
    const gap = content.slice(0, column - 1).replace(/[^\t]/g, ' ');
    const marks = Math.max(1, Math.min(length, content.length - column + 1));
    out.push(`  ${' '.repeat(width)} | ${gap}${'^'.repeat(marks)}`);
  }
  return out.join('\n');
}
