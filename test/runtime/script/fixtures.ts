/**
 * @file Fixtures of rules as files. In: what a rule's `bad` and `good` say. Out: modules with the findings that are marked in
 * them. A fixture that names `jit.` or begins with an import is a module; anything else is the body of a scripted function.
 */
import { fileURLToPath } from 'node:url';
import { Analyser } from '../../../runtime/script/analyse.ts';
import type { Diagnostic, Edit } from '../../../runtime/profile/diagnostic.ts';

const entry = fileURLToPath(new URL('../../../runtime/index.ts', import.meta.url));
export const analyser = new Analyser({ entry });

const NAMES = 'arange, cat, einsum, jit, nn, ones, rand, randn, range, stack, tensor, zeros, type Tensor';
const HEADER = `import { ${NAMES} } from 'jitlens';\n`;

export interface Mark {
  readonly code: string;
  readonly message: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** The fixture as a module. */
export function moduleOf(fixture: string): string {
  const body = fixture.replace(/^ {4}/gm, '');
  if (/^\s*import /.test(body)) return `// A module.\n${body}\n`;
  if (/\bjit\.(script|trace|ScriptModule)\b/.test(body)) return `${HEADER}${body}\n`;
  const last =
    body
      .trimEnd()
      .split('\n')
      .filter((l) => !/^\s*\/\/\^/.test(l))
      .at(-1) ?? '';
  const returns =
    /^(return|throw|while|for)\b/.test(last.trim()) || /^(return|throw)\b/m.test(body) || /\breturn [xyz]\b/.test(last);
  const word = /\bawait\b/.test(body) ? 'async ' : '';
  const indented = `  ${fixture.replace(/^ {2}/gm, '')}`;
  return `${HEADER}export const subject = jit.script(${word}(x: Tensor, y: Tensor, n: number) => {\n${indented}${returns ? '' : '\n  return x;'}\n});\n`;
}

/** What `//^^^ JL203: message` says about the line above it. */
export function marksOf(text: string): Mark[] {
  let line = 0;
  return text.split('\n').flatMap((at, i) => {
    const mark = /^(\s*\/\/)(\^+) (\w+)(?:: (.*))?$/.exec(at);
    if (!mark) {
      line = i + 1;
      return [];
    }
    const [, before = '', carets = '', code = '', message = ''] = mark;
    return [{ code, message, line, column: before.length + 1, length: carets.length }];
  });
}

export function check(text: string, name = '/fixtures/subject.ts') {
  analyser.update(name, text);
  return analyser.check(name);
}

export function summary(d: Diagnostic) {
  const { start, end } = d.range;
  return {
    code: d.code,
    line: start.line,
    column: start.column,
    length: end.line === start.line ? end.column - start.column : -1,
  };
}

function offset(text: string, { line, column }: { readonly line: number; readonly column: number }): number {
  const lines = text.split('\n');
  return lines.slice(0, line - 1).reduce((sum, l) => sum + l.length + 1, 0) + column - 1;
}

/** The text after a fix, edits from the last to the first. */
export function applied(text: string, edits: readonly Edit[]): string {
  const sorted = edits.map((e) => ({ start: offset(text, e.range.start), end: offset(text, e.range.end), text: e.text }));
  sorted.sort((a, b) => b.start - a.start || b.end - a.end);
  return sorted.reduce((out, e) => out.slice(0, e.start) + e.text + out.slice(e.end), text);
}
