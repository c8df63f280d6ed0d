/**
 * @file The command “JitLens: Create Sample”. In: the sample that ships with the extension. Out: a copy of it in the
 * workspace, open in the editor; a file of that name that is there already is opened as it is.
 */
import { Uri, window, workspace } from 'vscode';

const NAME = 'conv2d.ts';

export async function createSample(extensionUri: Uri): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  if (!folder) {
    void window.showInformationMessage('Open a folder first: the sample is written into it.');
    return;
  }
  const target = Uri.joinPath(folder, NAME);
  const exists = await workspace.fs.stat(target).then(
    () => true,
    () => false,
  );
  if (!exists) await workspace.fs.copy(Uri.joinPath(extensionUri, 'extension', 'samples', NAME), target);
  await window.showTextDocument(target);
}
