/**
 * @file Where a file's examples are, from its text alone; nothing is run. In: TypeScript text. Out: one entry for each
 * exported `jit.example(…)`, with the module class that it makes where that class stands in the same file.
 * A scan, not a parse: what it misses still runs, it only gets no CodeLens.
 */
import { maskNonCode } from './mask.ts';

export interface Example {
  readonly name: string;
  /** Offset of `export`. */
  readonly offset: number;
  /** Just behind the closing parenthesis. */
  readonly end: number;
  readonly module?: { readonly name: string; readonly offset: number; readonly end: number };
}

const EXAMPLE =
  /\bexport\s+const\s+([A-Za-z_$][\w$]*)\s*(?::[^=;]+)?=\s*(?:[\w$]+\s*\.\s*)?jit\s*\.\s*example\s*(?:<[^()]*>\s*)?\(/g;

export function findExamples(text: string): Example[] {
  if (!text.includes('example')) return [];
  const code = maskNonCode(text);
  return [...code.matchAll(EXAMPLE)].map((match) => {
    const open = match.index + match[0].length - 1;
    const end = endOfBrackets(code, open);
    const maker = firstArgument(code.slice(open + 1, end));
    const className = /\bnew\s+([A-Za-z_$][\w$]*)/.exec(maker)?.[1];
    return {
      name: match[1] ?? '',
      offset: match.index,
      end,
      module: className === undefined ? undefined : findClass(code, className),
    };
  });
}

/** The example that a place in the file belongs to: its own text, or its module's. */
export function exampleAt(examples: readonly Example[], offset: number): Example | undefined {
  const holds = (range: { offset: number; end: number } | undefined) =>
    range !== undefined && range.offset <= offset && offset <= range.end;
  return examples.find(holds) ?? examples.find((example) => holds(example.module));
}

function findClass(code: string, name: string): Example['module'] {
  const pattern = new RegExp(`(?:\\bexport\\s+)?(?:\\bdefault\\s+)?(?:\\babstract\\s+)?\\bclass\\s+${escape(name)}(?![\\w$])`);
  const match = pattern.exec(code);
  if (!match) return undefined;
  const body = code.indexOf('{', match.index);
  return { name, offset: match.index, end: body < 0 ? code.length : endOfBrackets(code, body) };
}

function firstArgument(args: string): string {
  let depth = 0;
  for (let i = 0; i < args.length; i++) {
    const char = args.charAt(i);
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ',' && depth === 0) return args.slice(0, i);
  }
  return args;
}

/** Just behind the bracket that closes the one at `open`; the end of the text when none does. */
function endOfBrackets(code: string, open: number): number {
  let depth = 0;
  for (let i = open; i < code.length; i++) {
    const char = code.charAt(i);
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char) && --depth === 0) return i + 1;
  }
  return code.length;
}

function escape(name: string): string {
  return name.replaceAll('$', '\\$');
}
