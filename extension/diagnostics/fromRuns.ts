/**
 * @file What a trace took for granted, shown in the files that it ran. In: the newest profile of each open file. Out: the
 * collection `jitlens-run`; nothing while a file's text differs from what ran.
 */
import { languages, workspace, type TextDocument } from 'vscode';
import type { Diagnostic } from '../../runtime/profile/diagnostic.ts';
import type { Registration } from '../registration.ts';
import type { Results } from '../results.ts';
import { ANALYSIS, analysisEnabled, SEVERITY, severities } from '../settings.ts';
import { diagnosticOf } from './convert.ts';
import { audible, type Audible } from './severity.ts';
import { takenIn } from './taken.ts';

export function registerRunDiagnostics(results: Results): Registration[] {
  const collection = languages.createDiagnosticCollection('jitlens-run');
  const publish = (document: TextDocument) => {
    const { uri } = document;
    if (uri.scheme !== 'file') return;
    const shown = shownOfRuns(results, document);
    if (shown.length === 0) collection.delete(uri);
    else
      collection.set(
        uri,
        shown.map(([one, level]) => diagnosticOf(one, level)),
      );
  };
  const publishAll = () => workspace.textDocuments.forEach(publish);
  return [
    collection,
    results.onDidChange(publishAll),
    workspace.onDidOpenTextDocument(publish),
    workspace.onDidChangeTextDocument(({ document }) => publish(document)),
    workspace.onDidCloseTextDocument(({ uri }) => collection.delete(uri)),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(ANALYSIS) || event.affectsConfiguration(SEVERITY)) publishAll();
    }),
  ];
}

/** What the user sees of the newest run in a document, and how loud. */
export function shownOfRuns(results: Results, document: TextDocument): (readonly [Diagnostic, Audible])[] {
  const { uri } = document;
  if (!analysisEnabled(uri)) return [];
  return audible(takenIn(results.touching(uri.fsPath), uri.fsPath, document.getText()), severities(uri));
}
