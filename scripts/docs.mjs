/**
 * Writes docs/ops.md, a line for every op, from the op table's own comments; docs/rules/, a page for every rule, from the rules;
 * and docs/passes/, a page for every pass, from what it does to its example. Usage: node scripts/docs.mjs [--check]
 * With --check nothing is written; exit code 1 when a page is not what its source says.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';
import { format } from 'prettier';

const PAGE = 'docs/ops.md';
const RULES = 'docs/rules';
const PASSES = 'docs/passes';
const table = ts.createSourceFile('table.ts', readFileSync('runtime/ops/table.ts', 'utf8'), ts.ScriptTarget.Latest, true);
/** Files of ops in the order in which the table names them. */
const files = table.statements
  .filter(ts.isImportDeclaration)
  .map((node) => node.moduleSpecifier.text)
  .filter((name) => name.startsWith('./') && !/in-place|define/.test(name))
  .map((name) => `runtime/ops/${basename(name)}`);

const { config } = ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8'));
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
const program = ts.createProgram(['runtime/index.ts'], { ...options, noEmit: true });
const checker = program.getTypeChecker();

function oneLine(text) {
  return text.replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}

/** What the op is called with, as it is written down: `x.sum(options?)`. */
function callOf(name, type) {
  const [signature] = type.getCallSignatures();
  const params = (signature?.parameters ?? []).flatMap((p) => {
    const of = checker.getTypeOfSymbol(p);
    const labels = of.target?.labeledElementDeclarations ?? [];
    return labels.map((l) => `${l.name.getText()}${l.questionToken ? '?' : ''}`);
  });
  const [receiver, ...rest] = params;
  return receiver === 'tensors' || receiver === 'equation'
    ? `${name}(${params.join(', ')})`
    : `${receiver ?? 'x'}.${name}(${rest.join(', ')})`;
}

function family(file) {
  const source = program.getSourceFile(file);
  if (!source) return '';
  const header = /@file ([^.:]+)/.exec(source.text)?.[1] ?? basename(file);
  const rows = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).flatMap((exported) => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
    const type = checker.getTypeOfSymbol(symbol);
    const doc = ts.displayPartsToString(exported.getDocumentationComment(checker));
    if (!type.getProperty('entry') || doc === '' || !names.has(exported.name)) return [];
    return [`| \`${callOf(exported.name, type)}\` | ${oneLine(doc)} |`];
  });
  return rows.length === 0
    ? ''
    : [`## ${oneLine(header)}`, '', '| call | what it gives |', '| --- | --- |', ...rows, ''].join('\n');
}

/** The names of the op table. */
const names = (() => {
  const module = checker.getSymbolAtLocation(program.getSourceFile('runtime/ops/table.ts'));
  const known = checker.getExportsOfModule(module).find((e) => e.name === 'table');
  return new Set(
    checker
      .getTypeOfSymbol(known)
      .getProperties()
      .map((p) => p.name),
  );
})();

const inPlace = [...names].filter((name) => name.endsWith('_')).sort();
const text = await format(
  [
    '# The ops',
    '',
    `Every op of the table, ${names.size - inPlace.length} in all, with what its own comment says. \`x\` is the tensor that it is a method of. ${inPlace.length} of them have an in-place form, with \`_\` behind the name: ${inPlace.map((n) => `\`${n}\``).join(', ')}. This page is written by \`node scripts/docs.mjs\`.`,
    '',
    ...files.map(family).filter(Boolean),
  ].join('\n'),
  { parser: 'markdown', printWidth: 130 },
);
/** The rules, which are TypeScript. */
async function rulePages() {
  const { outputFiles } = await build({
    stdin: {
      contents:
        "export { rules } from './runtime/script/rules/table.ts'; export { pageOf, indexOf } from './runtime/script/page.ts';",
      resolveDir: '.',
    },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    external: ['typescript'],
  });
  const { rules, pageOf, indexOf } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
  );
  const pages = [...rules.map((rule) => [`${rule.code}.md`, pageOf(rule)]), ['README.md', indexOf(rules)]];
  return Promise.all(pages.map(async ([name, page]) => [`${RULES}/${name}`, await markdown(page)]));
}

/** The passes, and what each does to the graph of its example. */
async function passPages() {
  // Beside node_modules, where what is not bundled is looked for.
  const outfile = resolve('.cache/docs-passes.mjs');
  await build({
    stdin: {
      contents: `
        export * as jitlens from './runtime/index.ts';
        export { pipeline } from './runtime/passes/pipeline.ts';
        export { indexOf, pageOf } from './runtime/passes/page.ts';
        export { frozen } from './runtime/jit/frozen-graph.ts';
        export { around } from './test/runtime/support/passes.ts';
        export { onReference } from './test/runtime/support/devices.ts';`,
      resolveDir: '.',
    },
    bundle: true,
    outfile,
    platform: 'node',
    format: 'esm',
    alias: { jitlens: './runtime/index.ts' },
    external: ['webgpu', 'typescript', 'esbuild', 'vitest'],
    logLevel: 'error',
  });
  const { jitlens, pipeline, indexOf, pageOf, frozen, around, onReference } = await import(pathToFileURL(outfile).href);
  const { zeros, ones } = jitlens;
  const shown = ({ name, example }) => {
    const held = Object.entries(example.frozen ?? {});
    const make = new Function('zeros', 'ones', ...held.map(([held]) => held), `return ${example.code}`);
    const fn = make(zeros, ones, ...held.map(([, shape]) => ones(shape)));
    return around(name, fn, example.shapes, held.length > 0 ? frozen : undefined);
  };
  const pages = pipeline.map((pass) => {
    const graphs = onReference(() => shown(pass));
    if (graphs.before === graphs.after) throw new Error(`${pass.name} changes nothing in its example`);
    return [`${pass.name}.md`, pageOf(pass, graphs)];
  });
  rmSync(outfile);
  return Promise.all(
    [...pages, ['README.md', indexOf(pipeline)]].map(async ([name, page]) => [`${PASSES}/${name}`, await markdown(page)]),
  );
}

/** As `npm run format` leaves it; examples stay as they are, with their marks under what is meant. */
function markdown(page) {
  return format(page, { parser: 'markdown', printWidth: 130, embeddedLanguageFormatting: 'off' });
}

const pages = new Map([[PAGE, text], ...(await rulePages()), ...(await passPages())]);
for (const folder of [RULES, PASSES]) mkdirSync(folder, { recursive: true });
const stale = [RULES, PASSES]
  .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
  .filter((path) => !pages.has(path));
if (process.argv.includes('--check')) {
  const wrong = [...pages]
    .filter(([path, page]) => !existsSync(path) || readFileSync(path, 'utf8') !== page)
    .map(([path]) => path);
  for (const path of [...wrong, ...stale]) console.error(`${path} is not what its source says. Run: node scripts/docs.mjs`);
  process.exit(wrong.length + stale.length > 0 ? 1 : 0);
}
for (const path of stale) rmSync(path);
for (const [path, page] of pages) writeFileSync(path, page);
