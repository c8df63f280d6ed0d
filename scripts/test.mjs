/**
 * Everything that `npm test` runs, in order: types, lint, documentation, unit tests, tests in a real VS Code. Ends with one line,
 * `N passed, N failed`, and exit code 1 when anything failed. Usage: node scripts/test.mjs [--no-e2e]
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';

const total = { passed: 0, failed: 0 };
mkdirSync('.cache', { recursive: true });

function run(title, args) {
  const start = Date.now();
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
  console.log(`${status === 0 ? '✔' : '✘'} ${title} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
  return status === 0;
}

function check(title, args) {
  if (run(title, args)) total.passed++;
  else total.failed++;
}

function tests(title, config) {
  const out = '.cache/tests.json';
  rmSync(out, { force: true });
  const ok = run(title, [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${out}`,
  ]);
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(out, 'utf8'));
    total.passed += numPassedTests;
    // A file that does not load has no tests to fail, and has failed all the same.
    total.failed += numFailedTests + (!ok && numFailedTests === 0 ? 1 : 0);
  } catch {
    total.failed++;
  }
}

check('types', ['node_modules/typescript/bin/tsc', '-p', '.']);
check('lint', ['node_modules/eslint/bin/eslint.js', '.']);
check('format', ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.']);
check('documentation of ops', ['scripts/docs.mjs', '--check']);
tests('unit tests', 'vitest.config.ts');
if (!process.argv.includes('--no-e2e')) tests('tests in a real VS Code', 'test/e2e/vitest.config.ts');

console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
