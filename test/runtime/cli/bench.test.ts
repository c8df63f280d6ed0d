/** Benchmark lines against earlier ones: what a file may hold, what is refused, and the table; `jitlens bench` as it runs. */
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { linesOf } from '../../../runtime/cli/bench.ts';
import { ratios, readBaseline } from '../../../runtime/cli/ratios.ts';
import type { Profile, Run } from '../../../runtime/profile/model.ts';
import { build, Workspace } from '../support/cli.ts';

const space = new Workspace();
const file = (...rows: string[]) => space.file('before.jsonl', rows.join('\n'));
const row = (peer: string, name: string, mode: string, more: object) => JSON.stringify({ peer, case: name, mode, ...more });

describe('a file of earlier lines', () => {
  test('holds lines of any peer; the last of several counts; failures, kernels and what npm says do not', () => {
    const path = file(
      '',
      '> jitlens@0.1.0 bench',
      '> node dist/bench.js',
      row('jitlens', 'lstm', 'traced', { ms: 9, device: 'A', kind: 'gpu', gpu_ms: 1 }),
      row('jitlens', 'lstm', 'traced', { kernel: 'k', gpu_ms: 3 }),
      // As the PyTorch program prints them.
      '{"peer": "torch", "case": "lstm", "mode": "library", "ms": 2.5, "min": 2.4, "throughput_ms": 2.1}',
      '{"peer": "torch", "case": "spade", "mode": "compile", "error": "no compiler"}',
      row('jitlens', 'lstm', 'traced', { ms: 8, device: 'A' }),
    );
    expect(readBaseline(path)).toEqual([
      { peer: 'jitlens', case: 'lstm', mode: 'traced', ms: 8, device: 'A' },
      { peer: 'torch', case: 'lstm', mode: 'library', ms: 2.5 },
    ]);
  });

  test.each([
    ['not JSON', /before\.jsonl:2 is not a line of a benchmark: not JSON$/],
    ['{"peer":"torch","case":"lstm"}', /before\.jsonl:2 is not a line/],
    ['{"peer":"torch","case":"lstm","mode":"eager","ms":"3"}', /before\.jsonl:2 is not a line/],
    ['{"peer":"torch","case":"lstm","mode":"eager","ms":0}', /before\.jsonl:2 is not a line/],
    ['[]', /before\.jsonl:2 is not a line/],
  ])('with the line %s is refused', (bad, message) => {
    const path = file(row('torch', 'lstm', 'eager', { ms: 1 }), bad);
    expect(() => readBaseline(path)).toThrow(message);
  });

  test('that is empty or not there is refused', () => {
    expect(() => readBaseline(file(''))).toThrow(/has no figures/);
    expect(() => readBaseline('/nowhere.jsonl')).toThrow('there is no file ‘/nowhere.jsonl’ that can be read');
  });
});

test('the table: the same mode of its own peer, every mode of others, and what cannot be compared', () => {
  const line = (mode: string, ms?: number, name = 'lstm') => ({ peer: 'jitlens', case: name, mode, ms, device: 'A' });
  const table = ratios(
    [line('eager', 24), line('traced', 4), line('traced', undefined, 'spade'), line('traced', 0.05, 'softmax')],
    [
      { peer: 'jitlens', case: 'lstm', mode: 'traced', ms: 8, device: 'B' },
      { peer: 'torch', case: 'lstm', mode: 'library', ms: 2.5 },
      { peer: 'torch', case: 'spade', mode: 'eager', ms: 1 },
    ],
  );
  expect(table).toBe(
    [
      'case     mode        ms  against          ms  ratio',
      'lstm     eager       24  torch library   2.5    9.6',
      'lstm     traced       4  jitlens traced    8    0.5',
      'lstm     traced       4  torch library   2.5    1.6',
      'spade    traced  failed  torch eager       1      –',
      'softmax  traced    0.05  –                 –      –',
      'Other devices: B there, A here.',
      '',
    ].join('\n'),
  );
});

test('a run whose values differ from eager has no figures', () => {
  const run = { medianMs: 1, dispatches: 1 } as Run;
  const profile = {
    example: 'e',
    runs: { eager: run, traced: run },
    check: { maxRelError: 0.5, maxAbsError: 1 },
    device: { name: 'A', kind: 'gpu' },
  } as unknown as Profile;
  const error = 'values of the traced run differ from eager by 0.5';
  expect(linesOf(profile)).toMatchObject([
    { mode: 'eager', error },
    { mode: 'traced', error },
  ]);
  expect(linesOf(profile).map((l) => l.ms)).toEqual([undefined, undefined]);
});

describe('jitlens bench', () => {
  const sample = fileURLToPath(new URL('../../../extension/samples/conv2d.ts', import.meta.url));
  beforeAll(build);

  test('prints lines that it can be given again', async () => {
    const first = await space.run('bench', sample, '--runs', '2');
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    const lines = first.stdout
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l) as Record<string, unknown>);
    expect(lines.map((l) => [l['peer'], l['case'], l['mode']])).toEqual([
      ['jitlens', 'conv2d', 'eager'],
      ['jitlens', 'conv2d', 'traced'],
    ]);
    const second = await space.run('bench', sample, '--runs', '2', '--against', file(first.stdout));
    expect(second.code).toBe(0);
    expect(second.stderr).toMatch(/^case .*\nconv2d +eager .* jitlens eager .*\nconv2d +traced .* jitlens traced .*\n$/);
  });

  test('says what is wrong with its arguments, with exit code 2', async () => {
    const missing = await space.run('bench', sample, '--against', 'nowhere.jsonl');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/^jitlens bench: there is no file ‘nowhere\.jsonl’ that can be read\nMake one: /);
    expect((await space.run('bench')).stderr).toBe('jitlens bench: which file?\nSee `jitlens bench --help`.\n');
    expect((await space.run('bench', '--help')).stdout).toContain('jitlens bench model.ts --against before.jsonl');
  });
});
