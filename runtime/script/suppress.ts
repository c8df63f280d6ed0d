/**
 * @file `// jitlens-ignore JL207: reason`. In: a file's text. Out: which lines take no finding of which codes, and what is
 * wrong with such comments: a reason is required, and one that nothing needs should go.
 */
import type { Diagnostic } from '../profile/diagnostic.ts';
import type { Found } from './context.ts';
import { ts, type TS } from './typescript.ts';

export const IGNORE = 'JLR-IGNORE';

export interface Suppression {
  readonly start: number;
  readonly end: number;
  /** The line that it is about, from 0. */
  readonly line: number;
  readonly codes: readonly string[];
  readonly reason: string;
}

const PATTERN = /\/[/*][^\n]*?(jitlens-ignore\b[ \t]*([A-Za-z0-9, \t-]*)(?::[ \t]*([^\n]*?))?)[ \t]*(?:\*\/|\r?\n|$)/g;

export function suppressionsOf(file: TS.SourceFile): Suppression[] {
  if (!file.text.includes('jitlens-ignore')) return [];
  const lines = file.text.split('\n');
  return [...file.text.matchAll(PATTERN)].flatMap((match) => {
    const [, all = '', codes = '', reason = ''] = match;
    const start = match.index + match[0].indexOf(all);
    if (!isComment(file, start)) return [];
    const own = file.getLineAndCharacterOfPosition(match.index).line;
    const column = match.index - (file.text.lastIndexOf('\n', match.index - 1) + 1);
    let line = own;
    if ((lines[own] ?? '').slice(0, column).trim() === '')
      do line++;
      while (/^\s*(\/\/.*)?$/.test(lines[line] ?? 'x'));
    return [
      { start, end: start + all.trimEnd().length, line, codes: codes.split(/[,\s]+/).filter(Boolean), reason: reason.trim() },
    ];
  });
}

/** Whether a position lies between tokens. */
function isComment(file: TS.SourceFile, position: number): boolean {
  let inside: TS.Node = file;
  for (;;) {
    const child: TS.Node | undefined = ts.forEachChild(inside, (c) =>
      c.getStart() <= position && position < c.end ? c : undefined,
    );
    if (!child) break;
    inside = child;
  }
  return !ts.isStringLiteralLike(inside) && !ts.isTemplateHead(inside) && !ts.isTemplateMiddleOrTemplateTail(inside);
}

/** Findings that only a run has: whether a comment about one is needed cannot be told from the text. */
const OF_RUNS = /^JL6\d\d$/;

function isAbout({ line, codes, reason }: Suppression, code: string, at: number): boolean {
  return line === at && reason !== '' && codes.includes(code);
}

/** What remains of a run's findings; `treeOf` gives a file as it ran. */
export function unsuppressed(found: readonly Diagnostic[], treeOf: (file: string) => TS.SourceFile | undefined): Diagnostic[] {
  const known = new Map<string, readonly Suppression[]>();
  return found.filter(({ code, range: { file, start } }) => {
    const tree = known.has(file) ? undefined : treeOf(file);
    const here = known.get(file) ?? (tree ? suppressionsOf(tree) : []);
    known.set(file, here);
    return !here.some((s) => isAbout(s, code, start.line - 1));
  });
}

/** What remains of the findings, with what there is to say about the comments. */
export function withoutSuppressed(file: TS.SourceFile, found: readonly Found[], codes: ReadonlySet<string>): Found[] {
  const suppressions = suppressionsOf(file);
  if (suppressions.length === 0) return [...found];
  const used = new Set<Suppression>();
  const kept = found.filter((f) => {
    const line = file.getLineAndCharacterOfPosition(f.span.start).line;
    const by = suppressions.filter((s) => isAbout(s, f.code, line));
    for (const s of by) used.add(s);
    return by.length === 0;
  });
  return [...kept, ...suppressions.flatMap((s) => remarks(s, used.has(s), codes))];
}

function remarks(s: Suppression, used: boolean, codes: ReadonlySet<string>): Found[] {
  const say = (severity: Found['severity'], message: string): Found[] => [
    { code: IGNORE, severity, message, span: s, related: [], fixes: [] },
  ];
  const unknown = s.codes.filter((code) => !codes.has(code));
  if (s.codes.length === 0) return say('warning', 'this names no rule to ignore; write `jitlens-ignore JL207: reason`');
  if (unknown.length > 0) return say('warning', `there is no rule ${unknown.join(', ')}`);
  if (s.reason === '') return say('warning', `say why: \`jitlens-ignore ${s.codes.join(', ')}: reason\``);
  return used || s.codes.some((code) => OF_RUNS.test(code))
    ? []
    : say('hint', `nothing here needs this: ${s.codes.join(', ')} is not found on line ${s.line + 1}`);
}
