/**
 * @file What a trace took for granted in one file. In: the newest profile that touches the file, and its text now. Out: the
 * profile's diagnostics there, none where the text is another one: they belong to the text that ran. Knows nothing of VS Code.
 */
import type { Diagnostic } from '../../runtime/profile/diagnostic.ts';
import type { Profile } from '../../runtime/profile/model.ts';

export function takenIn(profile: Profile | undefined, file: string, text: string): Diagnostic[] {
  if (profile?.sources[file] !== text) return [];
  return (profile.diagnostics ?? []).filter(({ range }) => range.file === file);
}
