/**
 * @file Names in a kernel's text. Axes are named after their extents, so that none is taken for another. In: a text whose numbers are
 * parameters, or open. Out: the same with other names, so that one text serves all extents.
 */

export const WITH_EXTENT = /\b[a-z]\w*_\d+\b/g;
/** Only those of extents that vary. */
export const VARYING = /\b[a-z]\w*_v\d+\b/g;

/** Names are numbered in the order in which they come. */
export function renamed(text: string, names: RegExp): string {
  const known = new Map<string, string>();
  return text.replace(names, (name) => {
    const other = known.get(name) ?? `n${known.size}`;
    known.set(name, other);
    return other;
  });
}
