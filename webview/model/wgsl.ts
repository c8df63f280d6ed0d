/**
 * @file Light syntax colouring of WGSL. In: one line, and whether it starts inside a block comment. Out: tokens whose
 * texts put together are the line again.
 */
export type TokenKind = 'plain' | 'keyword' | 'type' | 'number' | 'comment' | 'attribute' | 'call';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const keywords = new Set(
  'alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop override requires return struct switch true var while'.split(
    ' ',
  ),
);
const types =
  /^(bool|f16|f32|i32|u32|vec[234][fhiu]?|mat[234]x[234][fh]?|array|atomic|ptr|storage|uniform|workgroup|private|function|read|write|read_write|texture_\w+|sampler)$/;
const pattern =
  /(?<comment>\/\/.*|\/\*.*?(?:\*\/|$))|(?<attribute>@\w+)|(?<number>\b(?:0x[\da-f]+|\d[\d.]*(?:e[+-]?\d+)?)[fhiu]?\b)|(?<word>[A-Za-z_]\w*)|(?<plain>\s+|.)/giu;

function wordKind(word: string, after: string): TokenKind {
  if (keywords.has(word)) return 'keyword';
  if (types.test(word)) return 'type';
  return /^\s*\(/.test(after) ? 'call' : 'plain';
}

function* tokens(line: string): Generator<Token> {
  for (const match of line.matchAll(pattern)) {
    const [text] = match;
    const groups = match.groups ?? {};
    if (groups['word'] !== undefined) yield { kind: wordKind(text, line.slice(match.index + text.length)), text };
    else if (groups['comment'] !== undefined) yield { kind: 'comment', text };
    else if (groups['attribute'] !== undefined) yield { kind: 'attribute', text };
    else if (groups['number'] !== undefined) yield { kind: 'number', text };
    else yield { kind: 'plain', text };
  }
}

/** Neighbours of one kind become one token: fewer elements to draw. */
export function tokenise(line: string): readonly Token[] {
  const merged: { kind: TokenKind; text: string }[] = [];
  for (const token of tokens(line)) {
    const last = merged.at(-1);
    if (last?.kind === token.kind) last.text += token.text;
    else merged.push({ ...token });
  }
  return merged;
}
