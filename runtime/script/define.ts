/**
 * @file How one rule of TensorScript is written down. In: which kinds of nodes it looks at, what it says about one. Out: the
 * entry from which the analyser, the fixture tests and the rule's page all come. A rule sees one node and what is known about
 * the function around it; it never runs user code and keeps no state of its own.
 */
import type { Severity } from '../profile/diagnostic.ts';
import type { Context } from './context.ts';
import type { TS } from './typescript.ts';
import type { FunctionNode } from './facts/functions.ts';

/** The nodes that rules look at, by the name of their kind. `Unit` is a whole function. */
export interface Nodes {
  readonly Unit: FunctionNode;
  readonly ArrayLiteralExpression: TS.ArrayLiteralExpression;
  readonly ArrowFunction: TS.ArrowFunction;
  readonly AsExpression: TS.AsExpression;
  readonly AwaitExpression: TS.AwaitExpression;
  readonly BigIntLiteral: TS.BigIntLiteral;
  readonly BinaryExpression: TS.BinaryExpression;
  readonly BreakStatement: TS.BreakStatement;
  readonly CallExpression: TS.CallExpression;
  readonly CaseClause: TS.CaseClause;
  readonly ConditionalExpression: TS.ConditionalExpression;
  readonly ContinueStatement: TS.ContinueStatement;
  readonly DefaultClause: TS.DefaultClause;
  readonly DeleteExpression: TS.DeleteExpression;
  readonly DoStatement: TS.DoStatement;
  readonly ElementAccessExpression: TS.ElementAccessExpression;
  readonly ForInStatement: TS.ForInStatement;
  readonly ForOfStatement: TS.ForOfStatement;
  readonly ForStatement: TS.ForStatement;
  readonly FunctionDeclaration: TS.FunctionDeclaration;
  readonly FunctionExpression: TS.FunctionExpression;
  /** A name that is declared or looked up where it stands; not one after a `.`. */
  readonly Identifier: TS.Identifier;
  readonly IfStatement: TS.IfStatement;
  readonly MethodDeclaration: TS.MethodDeclaration;
  readonly NewExpression: TS.NewExpression;
  readonly NonNullExpression: TS.NonNullExpression;
  readonly ObjectBindingPattern: TS.ObjectBindingPattern;
  readonly ArrayBindingPattern: TS.ArrayBindingPattern;
  readonly Parameter: TS.ParameterDeclaration;
  readonly PostfixUnaryExpression: TS.PostfixUnaryExpression;
  readonly PrefixUnaryExpression: TS.PrefixUnaryExpression;
  readonly PropertyAccessExpression: TS.PropertyAccessExpression;
  readonly RegularExpressionLiteral: TS.RegularExpressionLiteral;
  readonly SpreadElement: TS.SpreadElement;
  readonly StringLiteral: TS.StringLiteral;
  readonly SwitchStatement: TS.SwitchStatement;
  readonly TemplateExpression: TS.TemplateExpression;
  readonly TryStatement: TS.TryStatement;
  readonly VariableDeclaration: TS.VariableDeclaration;
  readonly WhileStatement: TS.WhileStatement;
  readonly WithStatement: TS.WithStatement;
  readonly YieldExpression: TS.YieldExpression;
}

export type Kind = keyof Nodes;

interface Page {
  /** `JL203`. */
  readonly code: string;
  /** What the page is called: `A mutable array is walked`. */
  readonly title: string;
  /** What, why and what to do, in Markdown. */
  readonly doc: string;
  /** What PyTorch says to the same code, where it differs or is worth knowing. */
  readonly pytorch?: string;
}

interface Form<K extends Kind> extends Page {
  readonly severity: Severity;
  readonly on: K | readonly K[];
  readonly check: (node: Nodes[K], context: Context) => void;
  /** Also looks at code that is neither scripted nor traced, at module level too. */
  readonly everywhere?: true;
  /** Also looks at traced functions; what it finds there is a warning. */
  readonly traced?: true;
  /** Fixtures: statements of a scripted function, or whole modules that begin with `import`; see test/runtime/script. */
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

/** A page for what needs no rule: constructs that are allowed, and findings of a run. */
interface Note extends Page {
  readonly bad?: readonly string[];
  readonly good?: readonly string[];
}

export interface Rule extends Page {
  /** Absent where a page is all there is. */
  readonly severity?: Severity;
  readonly on: readonly Kind[];
  readonly check: (node: TS.Node, context: Context) => void;
  readonly everywhere: boolean;
  readonly traced: boolean;
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

export function defineRule<K extends Kind>(form: Form<K>): Rule {
  const { on, check, ...rest } = form;
  return {
    everywhere: false,
    traced: false,
    ...rest,
    on: typeof on === 'string' ? [on] : on,
    check: check as Rule['check'],
  };
}

export function defineNote(note: Note): Rule {
  return { bad: [], good: [], ...note, on: [], check: () => undefined, everywhere: false, traced: false };
}
