/**
 * @file Shows a span in the editor while the panel keeps the focus. In: a span of the profile on show. Out: the line,
 * selected, in the column where its file stands, else beside the panel.
 */
import { Range, TextEditorRevealType, Uri, ViewColumn, window } from 'vscode';
import type { Span } from '../../runtime/profile/model.ts';
import { positionOf } from '../place.ts';

export async function revealSpan(span: Span): Promise<void> {
  const uri = Uri.file(span.file);
  const shown = window.visibleTextEditors.find((editor) => editor.document.uri.toString() === uri.toString());
  const at = positionOf(span);
  const selection = new Range(at, at);
  const viewColumn = shown?.viewColumn ?? ViewColumn.One;
  const editor = await window.showTextDocument(uri, { viewColumn, preserveFocus: true, selection });
  editor.revealRange(selection, TextEditorRevealType.InCenterIfOutsideViewport);
}
