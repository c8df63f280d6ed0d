/** @file The squiggles. In: reports, runs that say more, and the severities of the settings. Out: the collection `jitlens`, one entry a document. */
import { languages, workspace, type TextDocument } from 'vscode';
import type * as Script from '../../runtime/profile/diagnostic.ts';
import type { Registration } from '../registration.ts';
import type { Results } from '../results.ts';
import { severities, SEVERITY } from '../settings.ts';
import { isQuiet } from './baked.ts';
import { diagnosticOf } from './convert.ts';
import { shownOfRuns } from './fromRuns.ts';
import type { Reports } from './reports.ts';
import { audible, type Audible } from './severity.ts';
import { withoutTold } from './taken.ts';

/** TypeScript itself says what is wrong with the syntax. */
const OF_OTHERS = ['JLR-SYNTAX'];

export function registerCollection(reports: Reports, results: Results): Registration[] {
  const collection = languages.createDiagnosticCollection('jitlens');
  const publish = (document: TextDocument) => {
    if (!reports.of(document)) {
      collection.delete(document.uri);
      return;
    }
    const shown = shownOf(reports, document).filter((one) => !isQuiet(one));
    const left = new Set(
      withoutTold(
        shown.map(([found]) => found),
        shownOfRuns(results, document).map(([found]) => found),
      ),
    );
    collection.set(
      document.uri,
      shown.filter(([found]) => left.has(found)).map(([found, level]) => diagnosticOf(found, level)),
    );
  };
  const publishAll = () => workspace.textDocuments.forEach(publish);
  return [
    collection,
    reports.onDidChange(publish),
    results.onDidChange(publishAll),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(SEVERITY)) publishAll();
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
