/**
 * @file Blanks out what is not code. In: TypeScript text. Out: text of the same length in which comments, regular
 * expressions and the insides of strings and templates are spaces (line breaks stay), so that a search meets code only and its offsets hold.
 */

const BLANK = /[^\r\n]/g;
/** A slash after one of these starts a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[=(,:;[{!&|?+\-*%~^<>]|\b(?:return|typeof|case|in|of|void|delete))\s*$/;

export function maskNonCode(text: string): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const end = endOfNonCode(text, at, out);
    if (end === at) {
      out += text.charAt(at);
      at++;
    } else {
      out += blank(text.slice(at, end));
      at = end;
    }
  }
  return out;
}

/** Quotes stay, so that a slash behind a string is seen to be a division. */
function blank(piece: string): string {
  const quote = /^["'`]/.exec(piece)?.[0];
  const spaces = piece.replace(BLANK, ' ');
  return quote && piece.length > 1 && piece.endsWith(quote) ? quote + spaces.slice(2) + quote : spaces;
}

/** Where the comment, string, template or regular expression that starts at `at` ends; `at` itself when none does. */
function endOfNonCode(text: string, at: number, before: string): number {
  const char = text.charAt(at);
  if (char === '"' || char === "'") return endOfQuoted(text, at, char, true);
  if (char === '`') return endOfQuoted(text, at, char, false);
  if (char !== '/') return at;
  const next = text.charAt(at + 1);
  if (next === '/') return orEnd(text, text.indexOf('\n', at));
  if (next === '*') return orEnd(text, text.indexOf('*/', at + 2), 2);
  return BEFORE_REGEX.test(before.slice(-40)) ? endOfRegex(text, at) : at;
}

function endOfQuoted(text: string, at: number, quote: string, oneLine: boolean): number {
  for (let i = at + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\\') i++;
    else if (char === quote) return i + 1;
    // An unfinished string must not swallow the rest of the file.
    else if (oneLine && char === '\n') return i;
  }
  return text.length;
}

function endOfRegex(text: string, at: number): number {
  let inClass = false;
  for (let i = at + 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '\n') return at;
    if (char === '\\') i++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return i + 1;
  }
  return at;
}

function orEnd(text: string, found: number, length = 0): number {
  return found < 0 ? text.length : found + length;
}
