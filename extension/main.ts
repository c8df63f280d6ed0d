/**
 * @file The extension's entry: makes its parts and joins them. In: VS Code's context. Out: everything is registered, and
 * no user code has run yet. Deactivation waits until no process is left.
 */
import { join } from 'node:path';
import { commands, type ExtensionContext } from 'vscode';
import { createSample } from './commands/createSample.ts';
import { openProfile } from './commands/openProfile.ts';
import { TRACE_AND_PROFILE } from './commands/target.ts';
import { traceAndProfile } from './commands/traceAndProfile.ts';
import { registerRunDiagnostics } from './diagnostics/fromRuns.ts';
import { registerDiagnostics, type Diagnostics } from './diagnostics/register.ts';
import { registerCaret } from './editor/caret.ts';
import { registerCodeLens } from './editor/codelens.ts';
import { registerLineCosts, toggleLineCosts } from './editor/decorations.ts';
import { createOutput } from './output.ts';
import { createPanel } from './panel/panel.ts';
import { registerWgslDocuments } from './panel/wgsl.ts';
import { createRuns, type Runs } from './process/runs.ts';
import { createResults } from './results.ts';

let runs: Runs | undefined;
let diagnostics: Diagnostics | undefined;

export function activate(context: ExtensionContext): void {
  const output = createOutput();
  const results = createResults();
  const wgsl = registerWgslDocuments();
  const panel = createPanel(context, { wgsl, onRestored: results.add });
  const running = createRuns();
  runs = running;
  diagnostics = registerDiagnostics(context, output, results);
  const services = { runs: running, results, panel, output, runnerPath: join(context.extensionPath, 'dist', 'runner.js') };
  context.subscriptions.push(
    output,
    results,
    wgsl,
    panel,
    ...registerCodeLens(results),
    ...registerCaret(panel.caret),
    ...registerLineCosts(results),
    ...registerRunDiagnostics(results),
    commands.registerCommand(TRACE_AND_PROFILE, (argument: unknown) => traceAndProfile(services, argument)),
    commands.registerCommand('jitlens.createSample', () => createSample(context.extensionUri)),
    commands.registerCommand('jitlens.openProfile', () => openProfile(panel, results)),
    commands.registerCommand('jitlens.toggleLineCosts', toggleLineCosts),
    commands.registerCommand('jitlens.showOutput', output.show),
  );
}

export async function deactivate(): Promise<void> {
  await Promise.all([runs?.dispose(), diagnostics?.dispose()]);
}
