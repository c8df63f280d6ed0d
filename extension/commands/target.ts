/**
 * @file What “Trace and Profile” is to run. In: the command's argument (a lens's target, a menu's URI, an example's
 * name, or nothing) and the active editor. Out: a file and perhaps an example in it.
 */
import { Uri, window, workspace, type TextDocument, type TextEditor } from 'vscode';
import { exampleAt, findExamples } from '../editor/examples.ts';

export const TRACE_AND_PROFILE = 'jitlens.traceAndProfile';

/** The argument that a CodeLens or a key binding gives. */
export interface Target {
  readonly uri: string;
  readonly example?: string;
}

export interface Choice {
  readonly uri: Uri;
  readonly example?: string;
}

/** Undefined when there is no file to run, or the user did not pick one of several examples. */
export async function chooseTarget(argument: unknown): Promise<Choice | undefined> {
  const editor = window.activeTextEditor;
  const target = parseTarget(argument);
  // The example is known, so the file need not be read: it may be gone, and the runner says so.
  if (target?.example !== undefined) return { uri: Uri.parse(target.uri, true), example: target.example };
  if (target) {
    const document = await workspace.openTextDocument(Uri.parse(target.uri, true));
    return chooseExample(document, editor?.document === document ? editor : undefined);
  }
  if (!editor) return undefined;
  return typeof argument === 'string' ? { uri: editor.document.uri, example: argument } : chooseExample(editor.document, editor);
}

function parseTarget(argument: unknown): Target | undefined {
  if (argument instanceof Uri) return { uri: argument.toString() };
  if (typeof argument !== 'object' || argument === null || !('uri' in argument) || typeof argument.uri !== 'string')
    return undefined;
  return {
    uri: argument.uri,
    example: 'example' in argument && typeof argument.example === 'string' ? argument.example : undefined,
  };
}

/** The example at the caret, else the only one, else the one the user picks; the runner says so when there is none. */
async function chooseExample(document: TextDocument, editor: TextEditor | undefined): Promise<Choice | undefined> {
  const examples = findExamples(document.getText());
  const here = editor && exampleAt(examples, document.offsetAt(editor.selection.active));
  if (here) return { uri: document.uri, example: here.name };
  if (examples.length < 2) return { uri: document.uri, example: examples[0]?.name };
  const items = examples.map(({ name, module }) => ({ label: name, description: module?.name }));
  const picked = await window.showQuickPick(items, { title: 'Trace and Profile', placeHolder: 'Which example?' });
  return picked && { uri: document.uri, example: picked.label };
}
