/**
 * @file Diagnostics while typing, trusted workspace or not: analysis only reads. In: the extension's folder. Out: squiggles,
 * fixes, status bar and commands; `dispose` waits until no analyser is left.
 */
import { join } from 'node:path';
import { commands, type ExtensionContext } from 'vscode';
import { AnalyserClient } from '../../runtime/host/analyser-client.ts';
import type { Output } from '../output.ts';
import type { Results } from '../results.ts';
import { registerActions } from './actions.ts';
import { registerCollection } from './collection.ts';
import { registerInlays } from './inlays.ts';
import { EXPLAIN, explain } from './page.ts';
import { createReports } from './reports.ts';
import { registerStatus } from './status.ts';
import { registerTasks } from './tasks.ts';

export interface Diagnostics {
  dispose(): Promise<void>;
}

export function registerDiagnostics(context: ExtensionContext, output: Output, results: Results): Diagnostics {
  const client = new AnalyserClient({
    analyserPath: join(context.extensionPath, 'dist', 'analyser.js'),
    // VS Code's own: analysis needs no GPU, and works where no Node is installed.
    nodePath: process.execPath,
    onLog: (text) => output.write(`${text.trimEnd()}\n`),
  });
  const reports = createReports(client);
  context.subscriptions.push(
    reports,
    ...registerCollection(reports, results),
    ...registerActions(reports, results),
    ...registerInlays(reports),
    ...registerStatus(reports),
    ...registerTasks(join(context.extensionPath, 'dist', 'cli.js')),
    commands.registerCommand(EXPLAIN, (argument: unknown) => explain(context.extensionUri, argument)),
  );
  return { dispose: () => client.dispose() };
}
