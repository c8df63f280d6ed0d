/**
 * @file Profiles as `.jlprof` files: saved by the user, and kept for the panel to come back after a reload. In and out:
 * the profile document of runtime/profile/model.ts as JSON; a file that is not one is refused with a sentence.
 */
import { basename } from 'node:path';
import { Uri, window, workspace } from 'vscode';
import { PROFILE_VERSION, type Profile } from '../../runtime/profile/model.ts';
import { isProfile } from '../../webview/model/profileCheck.ts';

const FILTERS = { 'JitLens profile': ['jlprof'] };

export async function writeProfile(uri: Uri, profile: Profile): Promise<void> {
  await workspace.fs.writeFile(uri, new TextEncoder().encode(`${JSON.stringify(profile)}\n`));
}

export async function readProfile(uri: Uri): Promise<Profile> {
  const text = new TextDecoder().decode(await workspace.fs.readFile(uri));
  const name = basename(uri.fsPath);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${name} is not a JitLens profile: it is not JSON.`);
  }
  if (!isProfile(value)) throw new Error(`${name} is not a JitLens profile of version ${PROFILE_VERSION}.`);
  return value;
}

export async function saveProfileAs(profile: Profile): Promise<void> {
  const folder = workspace.getWorkspaceFolder(Uri.file(profile.file))?.uri ?? Uri.joinPath(Uri.file(profile.file), '..');
  const defaultUri = Uri.joinPath(folder, `${profile.example}.jlprof`);
  const uri = await window.showSaveDialog({ defaultUri, filters: FILTERS, title: 'Save Profile' });
  if (uri) await writeProfile(uri, profile);
}

export async function chooseProfile(): Promise<Profile | undefined> {
  const [uri] = (await window.showOpenDialog({ filters: FILTERS, title: 'Open Profile' })) ?? [];
  return uri && readProfile(uri);
}
