/** @file The command “JitLens: Open Profile…”. In: a `.jlprof` file that the user picks. Out: it is on show. */
import { window } from 'vscode';
import type { Panel } from '../panel/panel.ts';
import { chooseProfile } from '../panel/profileFile.ts';

export async function openProfile(panel: Panel): Promise<void> {
  try {
    const profile = await chooseProfile();
    if (profile) await panel.show(profile);
  } catch (error) {
    void window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
