/**
 * @file Types that a run saw. In: a JL101 with its fixes, the newest profile of the file, the file's text. Out: the same, with the
 * type that the run saw offered first; as it was where the text is not the one that ran, or the run tells nothing. Knows nothing of VS Code.
 */
import type { Diagnostic } from '../../runtime/profile/diagnostic.ts';
import type { Profile, ProfileNode } from '../../runtime/profile/model.ts';

export function withSeen(found: Diagnostic, profile: Profile | undefined, text: string): Diagnostic {
  if (found.code !== 'JL101' || profile?.sources[found.range.file] !== text) return found;
  const { file, start, end } = found.range;
  const line = text.split('\n')[start.line - 1] ?? '';
  if (start.line !== end.line || !/^\s*\)/.test(line.slice(end.column - 1))) return found;
  // The only argument of a call that the run recorded.
  const calls = profile.nodes.filter(
    ({ span }) =>
      span.file === file && span.line === start.line && /^\w+\(\s*$/.test(line.slice(span.column - 1, start.column - 1)),
  );
  const types = new Set(calls.map(typeOf));
  const [type] = types;
  const at = found.fixes.findIndex(({ title }) => type !== undefined && title.endsWith(` ${type}`));
  const fix = found.fixes[at];
  // Seen as both, it is neither.
  if (!fix || types.size > 1) return found;
  const others = found.fixes.filter((other) => other !== fix);
  return { ...found, fixes: [{ ...fix, title: `${fix.title}, as seen in the last run` }, ...others] };
}

/** What stood beside the receiver: numbers are no inputs of their own. */
function typeOf({ kind, inputs, attributes }: ProfileNode): 'Tensor' | 'number' | undefined {
  if (inputs.length === 2) return 'Tensor';
  return kind === 'elementwise' && inputs.length === 1 && attributes === '' ? 'number' : undefined;
}
