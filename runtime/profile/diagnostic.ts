/**
 * @file What analysis says about a file: diagnostics with exact ranges, related places and fixes, and which functions can be
 * compiled. Plain data, so that the editor, the command line and `jit.script` share it. Lines and columns count from 1, columns
 * in UTF-16 units; `end` is the position after the last character.
 */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Range {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}

export interface Related {
  readonly message: string;
  readonly range: Range;
}

export interface Edit {
  readonly range: Range;
  readonly text: string;
}

export interface Fix {
  readonly title: string;
  /** Changes what the code does or how it is called, as its title says: never made together with others, only when it is chosen. */
  readonly alone?: boolean;
  readonly edits: readonly Edit[];
}

export type Severity = 'error' | 'warning' | 'hint';

export interface Diagnostic {
  /** `JL203`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly range: Range;
  readonly related: readonly Related[];
  readonly fixes: readonly Fix[];
}

/** A function of the file that works on tensors. */
export interface FunctionReport {
  /** `Block.forward`, `gelu`. */
  readonly name: string;
  /** Its name, where that is written; else its first line. */
  readonly range: Range;
  /** Whether it is scripted explicitly, or called from what is. */
  readonly scripted: boolean;
  /** What keeps it from being compiled, whether or not it is scripted: empty when it can be. */
  readonly obstacles: readonly Diagnostic[];
}

export interface FileReport {
  readonly file: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly functions: readonly FunctionReport[];
}
