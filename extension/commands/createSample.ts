/**
 * @file The command “JitLens: Create Sample”. In: the samples that ship with the extension, and which one the user picks. Out: a
 * copy of it in the workspace, open in the editor; a file of that name that is there already is opened as it is.
 */
import { Uri, window, workspace } from 'vscode';
import { SAMPLES } from '../samples.ts';

export async function createSample(extensionUri: Uri): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (!folder) {
    void window.showInformationMessage('Open a folder first: the sample is written into it.');
    return;
  }
  const items = SAMPLES.map(({ file, description }) => ({ label: file, description }));
  const options = { title: 'Create Sample', placeHolder: 'Which sample?', matchOnDescription: true };
  const picked = await window.showQuickPick(items, options);
  if (!picked) return;
  const target = Uri.joinPath(folder, picked.label);
  const exists = await workspace.fs.stat(target).then(
    () => true,
    () => false,
  );
  if (!exists) await workspace.fs.copy(Uri.joinPath(extensionUri, 'extension', 'samples', picked.label), target);
  await window.showTextDocument(target);
}
