/**
 * @file The newest report of each open file. In: what is typed, opened, closed, and changed on disk. Out: an event for each
 * report, which belongs to the text that is in the editor. Nothing runs before a file mentions the library.
 */
import { EventEmitter, workspace, type Event, type TextDocument } from 'vscode';
import type { AnalyserClient } from '../../runtime/host/analyser-client.ts';
import type { FileReport } from '../../runtime/profile/diagnostic.ts';
import type { Registration } from '../registration.ts';
import { ANALYSIS, analysisEnabled } from '../settings.ts';
import { Delay } from './delay.ts';
import { analysedDocuments, isAnalysed, isOpen, mentionsLibrary } from './documents.ts';

const TYPING_MS = 150;
/** After a change elsewhere: the file that is typed in comes first. */
const ELSEWHERE_MS = 400;
const SOURCES = '**/{*.ts,*.mts,*.cts,*.js,*.mjs,*.cjs,*.json}';

export interface Reports extends Registration {
  /** The document whose report came or went. */
  readonly onDidChange: Event<TextDocument>;
  of(document: TextDocument): FileReport | undefined;
}

export function createReports(client: AnalyserClient): Reports {
  const changed = new EventEmitter<TextDocument>();
  const reports = new Map<string, { readonly version: number; readonly report: FileReport }>();
  const keyOf = ({ uri }: TextDocument) => uri.toString();
  let awake = false;

  const check = async (document: TextDocument) => {
    if (!isOpen(document) || !analysisEnabled(document.uri)) {
      forget(document);
      return;
    }
    const { version } = document;
    const report = await client.check(document.uri.fsPath);
    if (!report || document.version !== version || !isOpen(document)) return;
    reports.set(keyOf(document), { version, report });
    changed.fire(document);
  };
  const delay = new Delay<TextDocument>((document) => void check(document));
  const forget = (document: TextDocument) => {
    delay.cancel(document);
    if (reports.delete(keyOf(document))) changed.fire(document);
  };
  const all = (ms: number, except?: TextDocument) => {
    for (const document of analysedDocuments()) if (awake && document !== except) delay.later(document, ms);
  };
  const opened = (document: TextDocument) => {
    if (!isAnalysed(document)) return;
    client.update(document.uri.fsPath, document.getText());
    const wakes = !awake && mentionsLibrary(document);
    awake ||= wakes;
    if (wakes) all(0);
    else if (awake) delay.later(document, 0);
  };
  const typed = (document: TextDocument) => {
    opened(document);
    if (!awake || !isAnalysed(document)) return;
    delay.later(document, TYPING_MS);
    all(ELSEWHERE_MS, document);
  };
  const onDisk = ({ fsPath }: { readonly fsPath: string }) => {
    if (analysedDocuments().some(({ uri }) => uri.fsPath === fsPath)) return;
    client.update(fsPath);
    all(ELSEWHERE_MS);
  };

  const watcher = workspace.createFileSystemWatcher(SOURCES);
  const parts = [
    changed,
    delay,
    watcher,
    watcher.onDidChange(onDisk),
    watcher.onDidCreate(onDisk),
    watcher.onDidDelete(onDisk),
    workspace.onDidOpenTextDocument(opened),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      if (contentChanges.length > 0) typed(document);
    }),
    workspace.onDidCloseTextDocument((document) => {
      if (!isAnalysed(document)) return;
      forget(document);
      client.update(document.uri.fsPath);
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(ANALYSIS)) all(0);
    }),
  ];
  for (const document of workspace.textDocuments) opened(document);
  return {
    onDidChange: changed.event,
    of: (document) => reports.get(keyOf(document))?.report,
    dispose: () => parts.forEach((part) => void part.dispose()),
  };
}
