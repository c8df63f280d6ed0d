/**
 * @file “Trace and profile · last 3.21 ms” above each example and above the module class that it makes. In: the file's
 * text and the session's results. Out: lenses that run the command; none where the workspace is not trusted.
 */
import { CodeLens, EventEmitter, languages, Range, workspace, type CodeLensProvider, type TextDocument } from 'vscode';
import { TRACE_AND_PROFILE, type Target } from '../commands/target.ts';
import type { Registration } from '../registration.ts';
import type { Results } from '../results.ts';
import { duration } from './duration.ts';
import { findExamples, type Example } from './examples.ts';

export function registerCodeLens(results: Results): Registration[] {
  const changed = new EventEmitter<void>();
  const provider: CodeLensProvider = {
    onDidChangeCodeLenses: changed.event,
    provideCodeLenses: (document) => (workspace.isTrusted ? lensesOf(document, results) : []),
  };
  return [
    changed,
    languages.registerCodeLensProvider({ language: 'typescript', scheme: 'file' }, provider),
    results.onDidChange(() => changed.fire()),
    workspace.onDidGrantWorkspaceTrust(() => changed.fire()),
  ];
}

function lensesOf(document: TextDocument, results: Results): CodeLens[] {
  const examples = findExamples(document.getText());
  const modules = examples.flatMap(({ module }) => module?.name ?? []);
  return examples.flatMap((example) => {
    const { module } = example;
    const own = lens(document, example.offset, example, results, false);
    if (!module) return [own];
    const shared = modules.filter((name) => name === module.name).length > 1;
    return [own, lens(document, module.offset, example, results, shared)];
  });
}

function lens(document: TextDocument, offset: number, example: Example, results: Results, named: boolean): CodeLens {
  const at = document.positionAt(offset);
  const last = results.of(document.uri.fsPath, example.name);
  const parts = [`$(play) Trace and profile${named ? ` ${example.name}` : ''}`];
  if (last) parts.push(`last ${duration(last.runs.traced.medianMs)}`);
  const target: Target = { uri: document.uri.toString(), example: example.name };
  return new CodeLens(new Range(at, at), {
    title: parts.join(' · '),
    tooltip: last
      ? `${last.compiledAs === 'scripted' ? 'Scripted' : 'Traced'}, on ${last.device.name}; eager ${duration(last.runs.eager.medianMs)}`
      : `Run the example ‘${example.name}’`,
    command: TRACE_AND_PROFILE,
    arguments: [target],
  });
}
