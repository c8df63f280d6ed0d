/**
 * Writes dist/types, the declarations that users get. In: what tsc emits of runtime/, in dist/declarations. Out: the same without
 * what no public name leads to, and with the methods of tensors written out: every program that imports the library reads these
 * files, and each keystroke in an editor resolves such methods anew. Usage: node scripts/types.mjs
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { Declarations } from './declarations.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(root, 'dist/declarations');
const to = join(root, 'dist/types');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** What users import, as package.json says. */
const entries = Object.values(exports).flatMap(({ types }) => (types ? [resolve(root, types).replace(to, from)] : []));
const METHODS = join(from, 'runtime/ops/methods.d.ts');

const { status } = spawnSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.types.json')],
  {
    stdio: ['ignore', 2, 2],
  },
);
if (status !== 0) process.exit(status ?? 1);
if (isStale()) write();

function isStale() {
  const made = join(to, 'runtime/index.d.ts');
  if (!existsSync(made)) return true;
  const inputs = [join(from, '.tsbuildinfo'), fileURLToPath(import.meta.url), join(root, 'scripts/declarations.mjs')];
  return inputs.some((input) => statSync(input).mtimeMs > statSync(made).mtimeMs);
}

function write() {
  const methods = methodsWrittenOut();
  const declarations = new Declarations((path) => (path === METHODS ? methods : readFileSync(path, 'utf8')));
  for (const entry of entries) declarations.want(entry, '*');
  rmSync(to, { recursive: true, force: true });
  for (const [path, text] of declarations.texts()) {
    const target = path.replace(from, to);
    mkdirSync(dirname(target), { recursive: true });
    // Lines stay where they are, so that maps still lead to the sources.
    const map = `${path}.map`;
    if (path !== METHODS) writeFileSync(`${target}.map`, readFileSync(map));
    writeFileSync(target, text);
  }
  verify();
}

/** `OpMethods` as an interface of plain properties, each of the type that the mapped type gives it. */
function methodsWrittenOut() {
  const program = ts.createProgram([METHODS], options(['node', '@webgpu/types']));
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(METHODS);
  const [symbol] = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  const paths = new Map();
  const { NoTruncation, UseFullyQualifiedType } = ts.TypeFormatFlags;
  const properties = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((property) => {
    const full = checker.typeToString(checker.getTypeOfSymbol(property), undefined, NoTruncation | UseFullyQualifiedType);
    const text = full.replaceAll(/import\("([^"]+)"\)\.(\w+)/g, (_, path, name) => {
      if ((paths.get(name) ?? path) !== path) throw new Error(`‘${name}’ means two things in types of methods.`);
      paths.set(name, path);
      return name;
    });
    if (/\bany\b|"\//.test(text)) throw new Error(`The type of ‘${property.name}’ cannot be written out: ${text}`);
    return `    readonly ${property.name}: ${text};`;
  });
  const imports = [...paths].map(([name, path]) => `import type { ${name} } from '${relativeTo(path)}.ts';\n`);
  return `${imports.join('')}export interface OpMethods {\n${properties.join('\n')}\n}\n`;
}

function relativeTo(path) {
  const name = relative(dirname(METHODS), path);
  return name.startsWith('.') ? name : `./${name}`;
}

/** The declarations that are left are complete. */
function verify() {
  const program = ts.createProgram(
    entries.map((entry) => entry.replace(from, to)),
    { ...options(['node', '@webgpu/types']), skipLibCheck: false, skipDefaultLibCheck: true },
  );
  const own = program.getSourceFiles().filter((source) => source.fileName.startsWith(to));
  const wrong = own.flatMap((source) => [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]);
  if (wrong.length === 0) return;
  rmSync(to, { recursive: true, force: true });
  console.error(
    ts.formatDiagnostics(wrong.slice(0, 20), {
      getCanonicalFileName: (f) => f,
      getCurrentDirectory: () => root,
      getNewLine: () => '\n',
    }),
  );
  process.exit(1);
}

function options(types) {
  const { ScriptTarget, ModuleKind, ModuleResolutionKind } = ts;
  return {
    target: ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ModuleKind.ESNext,
    moduleResolution: ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types,
  };
}
