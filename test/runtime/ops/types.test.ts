/** What an editor knows of the derived methods: exact types, documentation, and the way to where an op is written. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import ts from 'typescript';
import { methods } from '../../../runtime/ops/table.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const file = `${root}test/user-file.ts`;
const written = Object.keys(methods).filter((name) => !name.endsWith('_'));
const source = `import { tensor, cat, jit, nn, type Tensor } from 'jitlens';
const x: Tensor = tensor([[1, 2], [3, 4]]);
export const total = x.sum({ dim: 1 });
export const parts = x.unbind(0);
export const joined = cat([x, x], 1);
x.sum({ dimension: 1 });
x.sum(1);
x.add('one');
x.nothing();
x.permute(1, 0);
x.to('float31');
export const deep = x.reshape([4]).softmax(0).add_(1).where(x, 0);
class Layer extends nn.Module {
  forward(a: Tensor, times: number): Tensor { return a.mul(times); }
}
const traced = jit.trace(new Layer(), [x, 2]);
traced(x);
traced(x, 3);
jit.trace(new Layer(), [x]);
jit.example(() => new Layer(), () => [x]);
${written.map((name) => `void x.${name};`).join('\n')}
`;
const WRONG = [
  'x.sum({ dimension',
  'x.sum(1)',
  "x.add('one')",
  'x.nothing()',
  'x.permute(1, 0)',
  "x.to('float31')",
  'traced(x);',
  'jit.trace(new Layer(), [x]);',
  'jit.example(() => new Layer(), () => [x]);',
];

function languageService(): ts.LanguageService {
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}tsconfig.json`, (p) => ts.sys.readFile(p)).config,
    ts.sys,
    root,
  );
  const text = (path: string) => (path === file ? source : ts.sys.readFile(path));
  return ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const content = text(path);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getDefaultLibFileName: (o) => ts.getDefaultLibFilePath(o),
    fileExists: (path) => path === file || ts.sys.fileExists(path),
    readFile: text,
    directoryExists: (path) => ts.sys.directoryExists(path),
  });
}

describe('in an editor', () => {
  let service: ts.LanguageService;
  beforeAll(() => (service = languageService()));

  const infoAt = (position: number) => {
    const info = service.getQuickInfoAtPosition(file, position);
    return { type: ts.displayPartsToString(info?.displayParts), doc: ts.displayPartsToString(info?.documentation) };
  };
  const typeOf = (name: string) => infoAt(source.indexOf(`const ${name}`) + 6).type;

  test('results have exact types', () => {
    expect(typeOf('total')).toBe('const total: Tensor');
    expect(typeOf('parts')).toBe('const parts: Tensor[]');
    expect(typeOf('joined')).toBe('const joined: Tensor');
    expect(typeOf('deep')).toBe('const deep: Tensor');
    expect(typeOf('traced')).toMatch(/\(a: Tensor, times: number\) => Tensor|Traced</);
  });

  test('wrong calls are errors, and nothing else is', () => {
    const found = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)];
    const lineOf = (at: number) => source.slice(0, at).split('\n').length;
    const lines = [...new Set(found.map((d) => lineOf(d.start ?? 0)))];
    expect(lines).toEqual(WRONG.map((text) => lineOf(source.indexOf(text))));
  });

  test('hovering a method shows what the op does', () => {
    const { type, doc } = infoAt(source.indexOf('.sum(') + 1);
    expect(doc).toBe('Sum over `dim`, all of them when it is left out. 0 for no elements.');
    expect(type).toContain('(options?: ReduceOptions');
    expect(infoAt(source.indexOf('.unbind(') + 1).doc).toMatch(/^The slices of `dim`/);
    expect(infoAt(source.indexOf('cat([x') + 1).doc).toMatch(/^Tensors laid end to end/);
  });

  // In-place forms are named by a template, through which TypeScript carries no documentation.
  test('hovering any method that is written down shows a sentence', () => {
    const silent = written.filter(
      (name) => !/^\S[^]*[.)]$/.test(infoAt(source.indexOf(`void x.${name};`) + 'void x.'.length).doc),
    );
    expect(silent).toEqual([]);
  });

  test('the definition of a method is where the op is written, or one step from it', () => {
    const definition = (of: string, at: number) => service.getDefinitionAtPosition(of, at) ?? [];
    const reached = (of: string, at: number, steps: number): string[] =>
      definition(of, at).flatMap(({ fileName, textSpan }) => {
        const line = (ts.sys.readFile(fileName) ?? '').slice(textSpan.start).split('\n')[0] ?? '';
        const here = `${fileName.slice(root.length)}: ${line}`;
        return steps === 0 ? [here] : [here, ...reached(fileName, textSpan.start, steps - 1)];
      });
    const at = source.indexOf('.sum(') + 1;
    expect(reached(file, at, 1).join('\n')).toMatch(/^runtime\/ops\/reduce\.ts: sum: Reduce = /m);
    expect(readFileSync(`${root}runtime/ops/reduce.ts`, 'utf8')).toContain('export const sum: Reduce');
  });
});
