/**
 * @file The command “JitLens: Trace and Profile”. In: its argument. Out: the profile in the results and the panel, or a
 * failure that is shown while the panel stays as it was.
 */
import { window, workspace } from 'vscode';
import type { Outcome } from '../../runtime/host/client.ts';
import { findNode } from '../process/node.ts';
import type { Runs } from '../process/runs.ts';
import type { Output } from '../output.ts';
import type { Panel } from '../panel/panel.ts';
import type { Results } from '../results.ts';
import { runSettings } from '../settings.ts';
import { showFailure, showNoNode } from './failures.ts';
import { chooseTarget, type Choice } from './target.ts';

export interface Services {
  readonly runs: Runs;
  readonly results: Results;
  readonly panel: Panel;
  readonly output: Output;
}

export async function traceAndProfile(services: Services, argument: unknown): Promise<void> {
  const { runs, panel } = services;
  if (!workspace.isTrusted) {
    void window.showWarningMessage('JitLens runs the code of the file, so it needs a trusted workspace.');
    return;
  }
  if (runs.busy) {
    void window.showInformationMessage('A trace is still running. Cancel it first, or wait for it.');
    return;
  }
  const choice = await chooseTarget(argument ?? panel.activeTarget());
  if (!choice) return;
  if (choice.document.uri.scheme !== 'file' || (choice.document.isDirty && !(await choice.document.save()))) {
    void window.showWarningMessage('Save the file first: JitLens runs what is on disk.');
    return;
  }
  const outcome = await run(services, choice);
  if (outcome?.kind === 'done') {
    services.results.add(outcome.profile);
    await panel.show(outcome.profile);
  }
  if (outcome?.kind === 'failed') showFailure(outcome.failure, services.output);
}

async function run({ runs, output }: Services, { document, example }: Choice): Promise<Outcome | undefined> {
  const file = document.uri.fsPath;
  const settings = runSettings(document.uri);
  const node = await findNode(settings.nodePath);
  if ('problem' in node) {
    showNoNode(node.problem);
    return undefined;
  }
  const name = example ?? workspace.asRelativePath(file);
  output.heading(`Trace and profile ${name}`);
  return runs.start(`Profiling ${name}`, node.path, { file, example, ...settings.request });
}
