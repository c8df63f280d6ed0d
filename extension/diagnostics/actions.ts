/**
 * @file The light bulb. In: the diagnostics at a place. Out: their fixes, the first preferred; one edit for all of the file;
 * a comment that suppresses, with its reason to be typed; the rule's page.
 */
import {
  CodeAction,
  CodeActionKind,
  commands,
  languages,
  Position,
  SnippetString,
  SnippetTextEdit,
  WorkspaceEdit,
  type CodeActionContext,
  type CodeActionProvider,
  type Diagnostic,
  type Range,
  type TextDocument,
} from 'vscode';
import type * as Script from '../../runtime/profile/diagnostic.ts';
import { isFixable, together } from '../../runtime/script/fixes.ts';
import type { Registration } from '../registration.ts';
import type { Results } from '../results.ts';
import { shownOf } from './collection.ts';
import { editOf, rangeOf, SOURCE } from './convert.ts';
import { LANGUAGES } from './documents.ts';
import { EXPLAIN } from './page.ts';
import { shownOfRuns } from './fromRuns.ts';
import type { Reports } from './reports.ts';
import { withSeen } from './seen.ts';

const FIX_ALL = CodeActionKind.SourceFixAll.append('jitlens');
const FIX_ALL_TITLE = 'Fix all JitLens problems in this file';

export function registerActions(reports: Reports, results: Results): Registration[] {
  const provider: CodeActionProvider = {
    provideCodeActions: (document, range, context) => {
      const ran = results.touching(document.uri.fsPath);
      const shown = shownOf(reports, document).map(([found]) => withSeen(found, ran, document.getText()));
      const fixable = shown.filter(isFixable);
      if (context.only && FIX_ALL.intersects(context.only)) return fixable.length > 0 ? [allFixed(FIX_ALL, fixable)] : [];
      const here = [...shown, ...shownOfRuns(results, document).map(([found]) => found)].flatMap((found) => {
        const marked = markOf(found, range, context);
        return marked ? [{ found, marked }] : [];
      });
      const actions = here.flatMap(({ found, marked }) => fixesOf(found, marked));
      if (fixable.length > 1 && here.some(({ found }) => fixable.includes(found)))
        actions.push(allFixed(CodeActionKind.QuickFix, fixable));
      return [...actions, ...here.flatMap(({ found, marked }) => othersOf(document, found, marked))];
    },
  };
  const selector = LANGUAGES.map((language) => ({ language, scheme: 'file' }));
  return [
    languages.registerCodeActionsProvider(selector, provider, { providedCodeActionKinds: [CodeActionKind.QuickFix, FIX_ALL] }),
    commands.registerCommand('jitlens.fixAll', () =>
      commands.executeCommand('editor.action.sourceAction', { kind: FIX_ALL.value, apply: 'first' }),
    ),
  ];
}

/** VS Code's own of a diagnostic at the place. */
function markOf(found: Script.Diagnostic, at: Range, { diagnostics }: CodeActionContext): Diagnostic | undefined {
  const range = rangeOf(found.range);
  if (!range.intersection(at)) return undefined;
  return diagnostics.find(
    ({ source, code, range: other }) =>
      source === SOURCE && typeof code === 'object' && code.value === found.code && other.isEqual(range),
  );
}

function fixesOf({ fixes }: Script.Diagnostic, marked: Diagnostic): CodeAction[] {
  return fixes.map(({ title, edits, alone }, index) => {
    const action = new CodeAction(title, CodeActionKind.QuickFix);
    action.edit = editOf(edits);
    action.diagnostics = [marked];
    action.isPreferred = index === 0 && !alone;
    return action;
  });
}

function allFixed(kind: CodeActionKind, fixable: readonly Script.Diagnostic[]): CodeAction {
  const action = new CodeAction(FIX_ALL_TITLE, kind);
  action.edit = editOf(together(fixable).edits);
  return action;
}

function othersOf(document: TextDocument, { code, range }: Script.Diagnostic, marked: Diagnostic): CodeAction[] {
  if (!/^JL\d/.test(code)) return [];
  const line = range.start.line - 1;
  const start = new Position(line, document.lineAt(line).firstNonWhitespaceCharacterIndex);
  const suppress = new CodeAction(`Suppress ${code} here`, CodeActionKind.QuickFix);
  suppress.edit = new WorkspaceEdit();
  const comment = new SnippetString(`// jitlens-ignore ${code}: `).appendPlaceholder('reason').appendText('\n');
  suppress.edit.set(document.uri, [SnippetTextEdit.insert(start, comment)]);
  suppress.diagnostics = [marked];
  const explain = new CodeAction(`Explain ${code}`, CodeActionKind.QuickFix);
  explain.command = { command: EXPLAIN, title: `Explain ${code}`, arguments: [code] };
  explain.diagnostics = [marked];
  return [suppress, explain];
}
