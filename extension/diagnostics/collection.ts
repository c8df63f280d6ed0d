/** @file The squiggles. In: reports and the severities of the settings. Out: the collection `jitlens`, one entry a document. */
import { languages, workspace, type TextDocument } from 'vscode';
import type * as Script from '../../runtime/profile/diagnostic.ts';
import type { Registration } from '../registration.ts';
import { severities, SEVERITY } from '../settings.ts';
import { isQuiet } from './baked.ts';
import { diagnosticOf } from './convert.ts';
import type { Reports } from './reports.ts';
import { audible, type Audible } from './severity.ts';

/** TypeScript itself says what is wrong with the syntax. */
const OF_OTHERS = ['JLR-SYNTAX'];

export function registerCollection(reports: Reports): Registration[] {
  const collection = languages.createDiagnosticCollection('jitlens');
  const publish = (document: TextDocument) => {
    collection.set(
      document.uri,
      shownOf(reports, document)
        .filter((shown) => !isQuiet(shown))
        .map(([found, level]) => diagnosticOf(found, level)),
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

/** What the user sees of a document, and how loud. */
export function shownOf(reports: Reports, document: TextDocument): (readonly [Script.Diagnostic, Audible])[] {
  const found = reports.of(document)?.diagnostics ?? [];
  return audible(
    found.filter(({ code }) => !OF_OTHERS.includes(code)),
    severities(document.uri),
  );
}
