/** @file The squiggles. In: reports and the severities of the settings. Out: the collection `jitlens`, one entry a document. */
import { languages, workspace, type TextDocument } from 'vscode';
import type * as Script from '../../runtime/profile/diagnostic.ts';
import type { Registration } from '../registration.ts';
import { severities, SEVERITY } from '../settings.ts';
import { diagnosticOf } from './convert.ts';
import type { Reports } from './reports.ts';
import { levelOf } from './severity.ts';

/** TypeScript itself says what is wrong with the syntax. */
const OF_OTHERS = ['JLR-SYNTAX'];

export function registerCollection(reports: Reports): Registration[] {
  const collection = languages.createDiagnosticCollection('jitlens');
  const publish = (document: TextDocument) => {
    collection.set(
      document.uri,
      shownOf(reports, document).map(([found, level]) => diagnosticOf(found, level)),
    );
  };
  return [
    collection,
    reports.onDidChange(publish),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SEVERITY)) workspace.textDocuments.forEach(publish);
    }),
  ];
}

type Shown = readonly [Script.Diagnostic, Exclude<ReturnType<typeof levelOf>, 'off'>];

/** What the user sees of a document, and how loud. */
export function shownOf(reports: Reports, document: TextDocument): Shown[] {
  const levels = severities(document.uri);
  return (reports.of(document)?.diagnostics ?? []).flatMap((found): Shown[] => {
    const level = levelOf(found, levels);
    return level === 'off' || OF_OTHERS.includes(found.code) ? [] : [[found, level]];
  });
}
