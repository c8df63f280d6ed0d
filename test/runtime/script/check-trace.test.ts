/** @file What a trace takes for granted, said where it stands: on a file that is loaded as users' files are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import type { Diagnostic } from '../../../runtime/profile/diagnostic.ts';
import { build } from '../support/cli.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const file = fileURLToPath(new URL('../../fixtures/traced.ts', import.meta.url));
let found: Record<string, Diagnostic[]>;

beforeAll(() => {
  build();
  const out = execFileSync(process.execPath, ['--import', './dist/register.js', file], { cwd: root, encoding: 'utf8' });
  found = JSON.parse(out) as Record<string, Diagnostic[]>;
});

const lines = readFileSync(file, 'utf8').split('\n');
/** Code, severity and the line that it is about. */
const said = (name: string) =>
  found[name]?.map(({ code, severity, range }) => [
    code,
    severity,
    range.file === file ? lines[range.start.line - 1]?.trim() : '',
  ]);

test('a branch on a size: the arm that was not taken, and what the other size would record', () => {
  expect(said('net')).toEqual([
    ['JL604', 'hint', expect.stringContaining('net:')],
    ['JL606', 'hint', 'const y = this.drop.forward(x.mul(scale));'],
    ['JL611', 'hint', 'return y.sub(1);'],
    ['JL612', 'warning', 'if (x.size(0) > 2) {'],
  ]);
  const arm = found['net']?.at(-1);
  expect(arm?.message).toContain('‘x.size(0) > 2’ was false');
  expect(arm?.range).toMatchObject({ start: { column: 24 }, end: { column: 6 } });
  expect(arm?.range.end.line).toBe((arm?.range.start.line ?? 0) + 2);
});

test('what an optimiser remembers is no captured tensor: nobody puts another one in its place', () => {
  expect(said('trains')).toEqual([]);
});

test('a captured tensor, a loop over a size, values that are read: one each', () => {
  expect(said('captures')).toEqual([['JL603', 'warning', 'const captures = (x: Tensor): Tensor => x.add(held);']]);
  expect(said('loops')).toEqual([['JL611', 'hint', 'return sum.relu();']]);
  expect(said('reads')).toEqual([
    ['JL601', 'warning', 'const n = await x.sum().item();'],
    ['JL601', 'warning', 'const all = await x.data();'],
  ]);
});

test('what a comment suppresses is left out, line by line and code by code', () => {
  expect(said('ignored')).toEqual([['JL603', 'warning', 'return z.mul(other);']]);
});

test('code that remembers records something else the second time', () => {
  expect(said('remembers')).toEqual([
    ['JL611', 'warning', 'memory ??= x.mul(2);'],
    ['JL612', 'warning', 'return calls > 1 ? memory.detach() : memory;'],
  ]);
});

test('`jit.trace` says it where it is asked to', () => {
  expect(said('asked')).toEqual([
    ['JL603', 'warning', 'const rows = (x: Tensor): Tensor => (x.size(0) > 2 ? x.add(held) : x.sub(held));'],
    ['JL612', 'warning', 'const rows = (x: Tensor): Tensor => (x.size(0) > 2 ? x.add(held) : x.sub(held));'],
  ]);
  expect(said('notAsked')).toEqual([]);
});
