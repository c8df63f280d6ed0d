/**
 * @file The command “JitLens: Trace and Profile”. In: its argument. Out: the profile in the results and the panel, or a
 * failure that is shown while the panel stays as it was.
 */
import { window, workspace } from 'vscode';
import type { Output } from '../output.ts';
import type { Panel } from '../panel/panel.ts';
import { profileFile } from '../process/profile.ts';
import type { Runs } from '../process/runs.ts';
import type { Results } from '../results.ts';
import { runSettings } from '../settings.ts';
import { showFailure } from './failures.ts';
import { chooseTarget } from './target.ts';

export interface Services {
  readonly runs: Runs;
  readonly results: Results;
  readonly panel: Panel;
  readonly output: Output;
  /** `dist/runner.js`. */
  readonly runnerPath: string;
}

export async function traceAndProfile(services: Services, argument: unknown): Promise<void> {
  const { runs, results, panel, output, runnerPath } = services;
  if (!workspace.isTrusted) {
    void window.showWarningMessage('JitLens runs the code of the file, so it needs a trusted workspace.');
    return;
  }
  const choice = await chooseTarget(argument ?? panel.activeTarget());
  if (!choice) return;
  const { uri, example } = choice;
  const open = workspace.textDocuments.find((document) => document.uri.toString() === uri.toString());
  if (uri.scheme !== 'file' || (open?.isDirty && !(await open.save()))) {
    void window.showWarningMessage('Save the file first: JitLens runs what is on disk.');
    return;
  }

  const name = example ?? workspace.asRelativePath(uri);
  const { nodePath, request } = runSettings(uri);
  const outcome = await runs.start(`Profiling ${name}`, (hooks) => {
    output.heading(`Trace and profile ${name}`);
    return profileFile({ file: uri.fsPath, example, ...request }, nodePath, { ...hooks, runnerPath, onOutput: output.write });
  });
  if (!outcome) void window.showInformationMessage('A run is still in progress. Cancel it first, or wait for it.');
  if (outcome?.kind === 'failed') showFailure(outcome.failure, output);
  if (outcome?.kind === 'done') {
    results.add(outcome.profile);
    await panel.show(outcome.profile);
  }
}
