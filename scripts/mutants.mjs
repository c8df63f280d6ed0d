/**
 * Breaks gradients and shape rules of ops on purpose, one at a time, and sees whether the tests notice: a sign is flipped, a sum
 * becomes a difference, a `neg()` goes. Usage: node scripts/mutants.mjs [--count N] [--seed N] [--list]
 * Works on a copy under .cache/; exit code 1 when a mutant passes every test.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
  },
});

/** Rules that are broken: what a property of these names says. */
const RULES = new Set(['grad', 'shape', 'infer', 'extents']);
const SWAPPED = { add: 'sub', sub: 'add', mul: 'div', div: 'mul' };
const FLIPPED = { [ts.SyntaxKind.PlusToken]: '-', [ts.SyntaxKind.MinusToken]: '+' };

/** One change of one file's text: characters `start` to `end` become `text`. */
function mutations(file) {
  const source = readFileSync(file, 'utf8');
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found = [];
  const add = (node, text, rule) => {
    const start = node.getStart(tree);
    const { line } = tree.getLineAndCharacterOfPosition(start);
    found.push({ file, source, start, end: node.getEnd(), text, rule, line: line + 1, was: node.getText(tree) });
  };
  const inside = (node, rule) => {
    if (ts.isBinaryExpression(node) && node.operatorToken.kind in FLIPPED) {
      // Texts are joined with a plus too.
      if (![node.left, node.right].some((x) => ts.isStringLiteralLike(x) || ts.isTemplateExpression(x)))
        add(node.operatorToken, FLIPPED[node.operatorToken.kind], rule);
    }
    if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken)
      add(node, node.operand.getText(tree), rule);
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      if (name.text === 'neg') add(node, expression.getText(tree), rule);
      else if (rule === 'grad' && name.text in SWAPPED) add(name, SWAPPED[name.text], rule);
    }
    ts.forEachChild(node, (child) => inside(child, rule));
  };
  const visit = (node) => {
    if (ts.isPropertyAssignment(node) && RULES.has(node.name.getText(tree))) inside(node.initializer, node.name.getText(tree));
    else if (ts.isFunctionDeclaration(node) && /gradient|shape|sizes|attributes/i.test(node.name?.text ?? ''))
      inside(node, 'grad');
    else ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** mulberry32: the same choice for the same seed. */
function random(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const folder = 'runtime/ops';
const all = readdirSync(folder)
  .filter((name) => name.endsWith('.ts') && !['define.ts', 'spec.ts', 'table.ts'].includes(name))
  .flatMap((name) => mutations(join(folder, name)));
const next = random(Number(values.seed));
const chosen = all
  .map((mutant) => ({ mutant, key: next() }))
  .sort((a, b) => a.key - b.key)
  .slice(0, Number(values.count))
  .map(({ mutant }) => mutant);
const describe = ({ file, line, rule, was, text }) =>
  `${file}:${line} (${rule}) ${was.replace(/\s+/g, ' ').slice(0, 40)} → ${text.replace(/\s+/g, ' ').slice(0, 40)}`;
console.log(`${all.length} places to break; ${chosen.length} are tried (seed ${values.seed}).`);
if (values.list) {
  for (const mutant of chosen) console.log(describe(mutant));
  process.exit(0);
}

const copy = resolve('.cache/mutants');
rmSync(copy, { recursive: true, force: true });
mkdirSync(copy, { recursive: true });
for (const name of ['runtime', 'test', 'extension', 'vitest.config.ts', 'tsconfig.json', 'package.json'])
  cpSync(name, join(copy, name), { recursive: true });
symlinkSync(resolve('node_modules'), join(copy, 'node_modules'), 'junction');

/** For each rule what tells quickest, then all the rest; the first that fails is enough. */
const SYSTEMATIC = ['test/runtime/ops/systematic.test.ts'];
const REST = [
  'test/runtime/ops',
  'test/runtime/autograd',
  'test/runtime/nn',
  '--exclude=**/{systematic,types,dtypes,accuracy,gradients}.test.ts',
];
const GRADIENTS = ['test/runtime/ops/gradients.test.ts'];
const stagesOf = ({ rule }) => (rule === 'grad' ? [GRADIENTS, REST] : [SYSTEMATIC, REST, GRADIENTS]);
let survived = 0;
for (const [i, mutant] of chosen.entries()) {
  const { file, source, start, end, text } = mutant;
  writeFileSync(join(copy, file), source.slice(0, start) + text + source.slice(end));
  const caught = stagesOf(mutant).find((tests) => {
    const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--bail=1', ...tests], {
      cwd: copy,
      stdio: 'ignore',
    });
    return status !== 0;
  });
  writeFileSync(join(copy, file), source);
  if (!caught) survived++;
  console.log(`${String(i + 1).padStart(2)} ${caught ? '✔ noticed' : '✘ SURVIVED'}  ${describe(mutant)}`);
}
rmSync(copy, { recursive: true, force: true });
console.log(`${chosen.length - survived} of ${chosen.length} were noticed.`);
process.exit(survived === 0 ? 0 : 1);
