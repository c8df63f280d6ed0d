/** @file TypeScript's own errors in a text: what a fix gives must be code that is right. */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const entry = fileURLToPath(new URL('../../../runtime/index.ts', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));
const file = `${folder}subject.ts`;
let [text, version] = ['', 0];

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.esnext.d.ts', 'lib.dom.d.ts'],
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: ['node', '@webgpu/types'],
  paths: { jitlens: [entry] },
};
const read = new Map<string, string | undefined>();
const textOf = (name: string) => {
  if (name === file) return text;
  if (!read.has(name)) read.set(name, ts.sys.readFile(name));
  return read.get(name);
};
const service = ts.createLanguageService({
  getScriptFileNames: () => [file],
  getScriptVersion: (name) => (name === file ? String(version) : '1'),
  getScriptSnapshot: (name) => {
    const content = textOf(name);
    return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
  },
  getCurrentDirectory: () => folder,
  getCompilationSettings: () => options,
  getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o),
  fileExists: (name) => name === file || ts.sys.fileExists(name),
  readFile: textOf,
  directoryExists: ts.sys.directoryExists,
  getDirectories: ts.sys.getDirectories,
});

export function typeErrors(content: string): string[] {
  text = content;
  version++;
  return service.getSemanticDiagnostics(file).map((d) => {
    const { line } = ts.getLineAndCharacterOfPosition(d.file ?? ({} as ts.SourceFile), d.start ?? 0);
    return `${line + 1}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`;
  });
}
