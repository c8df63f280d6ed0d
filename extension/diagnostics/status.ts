/**
 * @file The item in the status bar. In: the report of the active editor's file. Out: how many of its functions can be
 * compiled, why the others cannot, and a way to the first of them; nothing for files without tensor functions.
 */
import { commands, MarkdownString, Selection, StatusBarAlignment, TextEditorRevealType, window } from 'vscode';
import type { Registration } from '../registration.ts';
import { rangeOf } from './convert.ts';
import type { Reports } from './reports.ts';
import { reasonsOf, summaryOf } from './summary.ts';

const GO_TO = 'jitlens.goToUnscriptable';

export function registerStatus(reports: Reports): Registration[] {
  const item = window.createStatusBarItem('jitlens.scriptable', StatusBarAlignment.Right, 90);
  item.name = 'JitLens: Scriptable Functions';
  item.command = GO_TO;
  const summary = () => {
    const document = window.activeTextEditor?.document;
    return document && summaryOf(reports.of(document));
  };
  const draw = () => {
    const present = summary();
    void commands.executeCommand('setContext', 'jitlens.unscriptable', (present?.stuck.length ?? 0) > 0);
    if (!present) {
      item.hide();
      return;
    }
    item.text = `$(circuit-board) ${present.text}`;
    item.tooltip = tooltip(reasonsOf(present));
    item.accessibilityInformation = { label: `JitLens: ${present.text.replace('/', ' of ')}` };
    item.show();
  };
  draw();
  return [
    item,
    reports.onDidChange(draw),
    window.onDidChangeActiveTextEditor(draw),
    commands.registerCommand(GO_TO, () => {
      const editor = window.activeTextEditor;
      const first = summary()?.stuck[0];
      if (!editor || !first) return;
      const range = rangeOf(first.range);
      editor.selections = [new Selection(range.start, range.start)];
      editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
      void window.showTextDocument(editor.document, editor.viewColumn);
    }),
  ];
}

function tooltip(reasons: readonly string[]): MarkdownString {
  const text = new MarkdownString();
  if (reasons.length === 0) return text.appendText('Every function of this file that works on tensors can be scripted.');
  text.appendText('These cannot be scripted as they are:\n');
  for (const reason of reasons) text.appendMarkdown('\n- ').appendText(reason);
  return text;
}
