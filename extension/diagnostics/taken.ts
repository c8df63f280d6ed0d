/**
 * @file What a trace took for granted in one file. In: the newest profile that touches the file, and its text now. Out: the
 * profile's diagnostics there, none where the text is another one: they belong to the text that ran. Knows nothing of VS Code.
 */
import type { Diagnostic, Range } from '../../runtime/profile/diagnostic.ts';
import type { Profile } from '../../runtime/profile/model.ts';

export function takenIn(profile: Profile | undefined, file: string, text: string): Diagnostic[] {
  if (profile?.sources[file] !== text) return [];
  return (profile.diagnostics ?? []).filter(({ range }) => range.file === file);
}

/** What the analysis says, without the branches on a shape of which the run says more: which arm was not taken. */
export function withoutTold(found: readonly Diagnostic[], taken: readonly Diagnostic[]): Diagnostic[] {
  const conditions = taken.filter(({ code }) => code === 'JL612').flatMap(({ related }) => related.map(({ range }) => range));
  const isTold = ({ code, severity, range }: Diagnostic) =>
    code === 'JL404' && severity !== 'error' && conditions.some((condition) => isSame(condition, range));
  return found.filter((one) => !isTold(one));
}

function isSame(a: Range, b: Range): boolean {
  const places = (r: Range) => [r.file, r.start.line, r.start.column, r.end.line, r.end.column].join(' ');
  return places(a) === places(b);
}
