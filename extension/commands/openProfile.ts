/** @file The command “JitLens: Open Profile…”. In: a `.jlprof` file that the user picks. Out: it is on show, and in the files that still have its text. */
import { window } from 'vscode';
import type { Panel } from '../panel/panel.ts';
import { chooseProfile } from '../panel/profileFile.ts';
import type { Results } from '../results.ts';

export async function openProfile(panel: Panel, results: Results): Promise<void> {
  try {
    const profile = await chooseProfile();
    if (!profile) return;
    results.add(profile);
    await panel.show(profile);
  } catch (error) {
    void window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
