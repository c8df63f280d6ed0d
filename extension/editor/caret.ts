/**
 * @file Tells the panel where the caret stands, once it has come to rest. In: selection changes in editors. Out: a file
 * and a line, counted from 1.
 */
import { window, type TextEditor } from 'vscode';
import type { Registration } from '../registration.ts';

const REST_MS = 120;

export function registerCaret(tell: (file: string, line: number) => void): Registration[] {
  let timer: NodeJS.Timeout | undefined;
  const later = (editor: TextEditor | undefined) => {
    if (editor?.document.uri.scheme !== 'file') return;
    clearTimeout(timer);
    timer = setTimeout(() => tell(editor.document.uri.fsPath, editor.selection.active.line + 1), REST_MS);
  };
  return [
    window.onDidChangeTextEditorSelection(({ textEditor }) => later(textEditor)),
    window.onDidChangeActiveTextEditor(later),
    { dispose: () => clearTimeout(timer) },
  ];
}
