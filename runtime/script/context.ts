/**
 * @file What a rule knows besides its node. In: the file, the function, the program's facts. Out: findings with their exact
 * place. A finding stands in the file of the offending text, wherever the function is called from.
 */
import type { Severity } from '../profile/diagnostic.ts';
import type { Rule } from './define.ts';
import type { FunctionNode } from './facts/functions.ts';
import type { Place, Reach } from './facts/reach.ts';
import type { Types } from './facts/types.ts';
import type { Writes } from './facts/writes.ts';
import { ts, type TS } from './typescript.ts';

/** A piece of the file's text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Change extends Span {
  readonly text: string;
}

export interface FoundFix {
  readonly title: string;
  /** As in `Fix`. */
  readonly alone?: boolean;
  readonly changes: readonly Change[];
}

export interface Found {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly related: readonly { readonly message: string; readonly place: Place }[];
  readonly fixes: readonly FoundFix[];
}

export interface More {
  readonly related?: readonly { readonly message: string; readonly node: TS.Node }[];
  readonly fixes?: readonly (FoundFix | undefined)[];
  readonly severity?: Severity;
}

/** How the code around a node runs. */
export type Running = 'scripted' | 'traced' | 'eager';

const LONGEST = 48;
/** A place of this file in a message, which becomes a line when the message is given out: edits before it move it. */
const LINE = /\uE000(\d+)\uE001/g;

/** A message with the numbers of its lines. */
export function withLines(message: string, file: TS.SourceFile): string {
  return message.replace(LINE, (_, at: string) => String(ts.getLineAndCharacterOfPosition(file, Number(at)).line + 1));
}

/** A message with its places changed; `undefined` where one is nowhere any more. */
export function movedMessage(message: string, move: (at: number) => number | undefined): string | undefined {
  const places = [...message.matchAll(LINE)].map(([, at]) => move(Number(at)));
  if (places.includes(undefined)) return undefined;
  let i = 0;
  return message.replace(LINE, () => `\uE000${places[i++] ?? 0}\uE001`);
}

export class Context {
  private readonly seen = new Map<Rule, Set<unknown>>();
  /** The rule that is asked now. */
  rule: Rule | undefined;

  constructor(
    readonly file: TS.SourceFile,
    readonly types: Types,
    readonly writes: Writes,
    readonly reach: Reach,
    /** The function that is looked at; absent where the whole file is. */
    readonly unit: FunctionNode | undefined,
    readonly running: Running,
    private readonly found: (rule: Rule, span: Span, message: string, more: More) => void,
  ) {}

  get checker(): TS.TypeChecker {
    return this.types.checker;
  }

  report(at: TS.Node | Span, message: string, more: More = {}): void {
    if (this.rule) this.found(this.rule, 'kind' in at ? { start: at.getStart(), end: at.end } : at, message, more);
  }

  /** True the rule's first time only: for findings that are given once for a name. */
  once(key: unknown): boolean {
    const { rule } = this;
    if (!rule) return false;
    const seen = this.seen.get(rule) ?? new Set<unknown>();
    this.seen.set(rule, seen);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  }

  /** The code as it is written, on one line, cut when it is long. */
  text(node: TS.Node): string {
    const text = node.getText().replace(/\s+/g, ' ');
    return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  }

  /** The line of a node, for a message. */
  line(node: TS.Node): string {
    const source = node.getSourceFile();
    if (source === this.file) return `\uE000${node.getStart()}\uE001`;
    return String(ts.getLineAndCharacterOfPosition(source, node.getStart()).line + 1);
  }

  /** Whether a finding may depend on what other functions do, and not only on how they are declared. */
  looksBeyond = false;

  lookBeyond(): void {
    this.looksBeyond = true;
  }

  type(node: TS.Node): TS.Type {
    return this.types.of(node);
  }

  isTensor(node: TS.Node): boolean {
    return this.types.isTensor(this.types.of(node));
  }

  /** Whether a name is declared outside the function that is looked at. */
  isOuter(symbol: TS.Symbol | undefined): boolean {
    const { unit } = this;
    const declaration = symbol?.declarations?.[0];
    if (!unit || !declaration) return false;
    return declaration.getSourceFile() !== this.file || declaration.pos < unit.pos || declaration.end > unit.end;
  }
}
