/**
 * @file Where functions that run were written. In: a function or class. Out: its TypeScript and what its free names are bound
 * to. The loader fills the table as a module is loaded; it hangs on the global object, so that loaded modules need not import
 * JitLens to say where they are.
 */
export interface Source {
  /** The TypeScript or JavaScript file, absolute. */
  readonly file: string;
  /** The file's text when it was loaded. */
  readonly text: string;
  /** The function or class within it, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** Getters of the names that it uses and does not declare; one that is not yet initialised throws, as it would in the code. */
  readonly names: Readonly<Record<string, unknown>>;
}

export const SOURCES = 'jitlens.sources';

type Table = WeakMap<object, Source>;
const place: Record<symbol, Table | undefined> = globalThis;

function table(): Table {
  return (place[Symbol.for(SOURCES)] ??= new WeakMap());
}

export function sourceOf(code: object): Source | undefined {
  return table().get(code);
}
