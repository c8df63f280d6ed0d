/** @file Inlay hints: the value of each constant from outside, where compiled code uses it. VS Code's own setting turns them off. */
import { EventEmitter, InlayHint, languages, Position, type InlayHintsProvider } from 'vscode';
import type { Registration } from '../registration.ts';
import { bakedIn } from './baked.ts';
import { shownOf } from './collection.ts';
import type { Reports } from './reports.ts';

export function registerInlays(reports: Reports): Registration[] {
  const changed = new EventEmitter<void>();
  const provider: InlayHintsProvider = {
    onDidChangeInlayHints: changed.event,
    provideInlayHints: (document, range) =>
      bakedIn(shownOf(reports, document)).flatMap(({ at, label, message }) => {
        const position = new Position(at.line - 1, at.column - 1);
        if (!range.contains(position)) return [];
        const hint = new InlayHint(position, label);
        hint.paddingLeft = true;
        hint.tooltip = `JitLens: ${message}; it is part of the graph.`;
        return [hint];
      }),
  };
  const languagesOf = ['typescript', 'javascript'].map((language) => ({ language, scheme: 'file' }));
  return [changed, reports.onDidChange(() => changed.fire()), languages.registerInlayHintsProvider(languagesOf, provider)];
}
