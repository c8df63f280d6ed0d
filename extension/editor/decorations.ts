/**
 * @file Draws line costs to the right of the lines. In: the newest profile that touches a visible file. Out: one
 * decoration a line, none while the text differs from what ran or the setting is off.
 */
import { MarkdownString, Range, ThemeColor, window, workspace, type DecorationOptions, type TextEditor } from 'vscode';
import type { Registration } from '../registration.ts';
import type { Results } from '../results.ts';
import { LINE_COSTS, lineCostsShown } from '../settings.ts';
import { lineCosts } from './lineCosts.ts';

export function registerLineCosts(results: Results): Registration[] {
  const type = window.createTextEditorDecorationType({
    after: { margin: '0 0 0 3em', color: new ThemeColor('jitlens.lineCostForeground'), fontStyle: 'italic' },
  });
  const draw = (editor: TextEditor) => editor.setDecorations(type, decorationsOf(editor, results));
  const drawAll = () => window.visibleTextEditors.forEach(draw);
  drawAll();
  return [
    type,
    results.onDidChange(drawAll),
    window.onDidChangeVisibleTextEditors(drawAll),
    workspace.onDidChangeTextDocument(({ document }) =>
      window.visibleTextEditors.filter((editor) => editor.document === document).forEach(draw),
    ),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(LINE_COSTS)) drawAll();
    }),
  ];
}

export async function toggleLineCosts(): Promise<void> {
  await workspace.getConfiguration().update(LINE_COSTS, !lineCostsShown(), true);
}

function decorationsOf({ document }: TextEditor, results: Results): DecorationOptions[] {
  if (document.uri.scheme !== 'file' || !lineCostsShown()) return [];
  const file = document.uri.fsPath;
  const profile = results.touching(file);
  if (!profile || profile.sources[file] !== document.getText()) return [];
  return lineCosts(profile, file).map(({ line, text, details }) => {
    const { range } = document.lineAt(line - 1);
    const hover = new MarkdownString();
    for (const detail of details) hover.appendText(detail).appendMarkdown('\n\n');
    return { range: new Range(range.end, range.end), renderOptions: { after: { contentText: text } }, hoverMessage: hover };
  });
}
