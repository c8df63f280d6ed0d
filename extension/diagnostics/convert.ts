/** @file The analyser's diagnostics as VS Code's: places from 0, a link to the rule's page, relations, severities. */
import {
  Diagnostic,
  DiagnosticRelatedInformation,
  DiagnosticSeverity,
  DiagnosticTag,
  Location,
  Range,
  Uri,
  WorkspaceEdit,
} from 'vscode';
import type * as Script from '../../runtime/profile/diagnostic.ts';
import { pageLink } from './page.ts';
import type { Audible } from './severity.ts';

export const SOURCE = 'JitLens';
/** The arm of an `if` that never ran. */
const UNNECESSARY = ['JL612'];

const SEVERITIES: Readonly<Record<Audible, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
  hint: DiagnosticSeverity.Hint,
};

export function rangeOf({ start, end }: Script.Range): Range {
  return new Range(start.line - 1, start.column - 1, end.line - 1, end.column - 1);
}

export function editOf(edits: readonly Script.Edit[]): WorkspaceEdit {
  const result = new WorkspaceEdit();
  for (const { range, text } of edits) result.replace(Uri.file(range.file), rangeOf(range), text);
  return result;
}

export function diagnosticOf(found: Script.Diagnostic, level: Audible): Diagnostic {
  const result = new Diagnostic(rangeOf(found.range), found.message, SEVERITIES[level]);
  result.source = SOURCE;
  result.code = { value: found.code, target: pageLink(found.code) };
  result.relatedInformation = found.related.map(
    ({ message, range }) => new DiagnosticRelatedInformation(new Location(Uri.file(range.file), rangeOf(range)), message),
  );
  if (UNNECESSARY.includes(found.code)) result.tags = [DiagnosticTag.Unnecessary];
  return result;
}
