/** @file Which documents are analysed: TypeScript and JavaScript on disk, without those of markup. */
import { workspace, type TextDocument } from 'vscode';

export const LANGUAGES = ['typescript', 'javascript'];

export function isAnalysed({ uri, languageId }: TextDocument): boolean {
  return uri.scheme === 'file' && LANGUAGES.includes(languageId) && !/\.[jt]sx$/.test(uri.fsPath);
}

export function analysedDocuments(): TextDocument[] {
  return workspace.textDocuments.filter((document) => isAnalysed(document) && isOpen(document));
}

export function isOpen({ isClosed }: TextDocument): boolean {
  return !isClosed;
}

/** A program that never heard of JitLens costs nothing. */
export function mentionsLibrary(document: TextDocument): boolean {
  return document.getText().includes('jitlens');
}
