/** `jitlens check` and `jitlens explain`: what is printed, what is fixed, and one sentence for each way to call them wrongly. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { build, Workspace } from '../support/cli.ts';

const space = new Workspace();
beforeAll(build);

const eager = `import { type Tensor } from 'jitlens';
export async function f(a: Tensor, b: Tensor): Promise<Tensor> {
\tif (a.gt(0)) return a;
  return -b;
}
`;

test('a code frame for each diagnostic, then the counts; a file that does not parse is one of them', async () => {
  mkdirSync(join(space.folder, 'src/node_modules/left-out'), { recursive: true });
  space.file('src/a.ts', eager);
  space.file('src/b.ts', 'const = 1\n');
  space.file('src/node_modules/left-out/c.ts', eager);
  const { code, stdout, stderr } = await space.run('check', 'src');
  expect([code, stderr]).toEqual([1, '']);
  expect(stdout).toContain('src/a.ts:3:6 error JL209: this condition is always true');
  expect(stdout).toContain('3 | \tif (a.gt(0)) return a;\n  | \t    ^^^^^^^\n');
  expect(stdout).toContain('src/b.ts:1:7 error JLR-SYNTAX: ');
  expect(stdout).toContain('3 errors, 0 warnings in 2 files\n0 of 1 function can be scripted\n');
});

test('JSON, SARIF and workflow commands say the same', async () => {
  const file = space.file('one.ts', eager);
  const json = JSON.parse((await space.run('check', 'one.ts', '--format', 'json')).stdout) as {
    files: { file: string; diagnostics: { code: string; range: { start: object } }[] }[];
  };
  expect(json.files.map((f) => [f.file, f.diagnostics.map((d) => d.code)])).toEqual([[file, ['JL209', 'JL401']]]);
  const sarif = JSON.parse((await space.run('check', 'one.ts', '--format', 'sarif')).stdout) as {
    version: string;
    runs: { tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number; level: string }[] }[];
  };
  expect(sarif.version).toBe('2.1.0');
  for (const { tool, results } of sarif.runs) {
    expect(results.map((r) => [r.ruleId, r.level])).toEqual([
      ['JL209', 'error'],
      ['JL401', 'error'],
    ]);
    for (const r of results) expect(tool.driver.rules[r.ruleIndex]?.id).toBe(r.ruleId);
  }
  const github = await space.run('check', 'one.ts', '--format', 'github');
  expect(github.stdout.split('\n')[0]).toMatch(
    /^::error file=one\.ts,line=3,endLine=3,col=6,endColumn=13,title=JL209::this condition/,
  );
});

test('--fix leaves a file without what it fixed', async () => {
  const file = space.file('fix.ts', eager);
  const { code, stderr } = await space.run('check', 'fix.ts', '--fix');
  expect([code, stderr]).toEqual([0, '2 fixes applied in 1 file\n']);
  expect(readFileSync(file, 'utf8')).toBe(eager.replace('a.gt(0))', '(await a.gt(0).item()) !== 0)').replace('-b', 'b.neg()'));
});

test('--fix leaves out what would change what the code does', async () => {
  const looping = `import { jit, type Tensor } from 'jitlens';
export const f = jit.script(async (x: Tensor) => {
  let z = x;
  while ((await z.sum().item()) > 1) z = z.mul(0.5);
  return z;
});
`;
  const file = space.file('loop.ts', looping);
  const { stdout, stderr } = await space.run('check', 'loop.ts', '--fix');
  expect(stdout).toContain('loop.ts:4:10 warning JL207');
  expect(stderr).toBe('0 fixes applied in 0 files\n');
  expect(readFileSync(file, 'utf8')).toBe(looping);
});

test('explain prints the page', async () => {
  const { code, stdout } = await space.run('explain', 'jl203');
  expect(code).toBe(0);
  expect(stdout).toBe(readFileSync(new URL('../../../docs/rules/JL203.md', import.meta.url), 'utf8'));
});

test('what is asked wrongly is one sentence and exit code 2', async () => {
  mkdirSync(join(space.folder, 'empty'), { recursive: true });
  space.file('text.md', '#');
  const cases: readonly [args: string[], sentence: string][] = [
    [['check', 'nowhere'], 'there is no ‘nowhere’'],
    [['check', 'empty'], 'there is no TypeScript or JavaScript in ‘empty’'],
    [['check', 'text.md'], '‘text.md’ is neither TypeScript nor JavaScript'],
    [['check', '--format', 'xml'], '--format is one of text, json, sarif, github, not ‘xml’'],
    [['explain', 'JL999'], 'there is no rule ‘JL999’'],
    [['explain'], 'which code?'],
  ];
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await space.run(...args);
    expect([args, code, stdout]).toEqual([args, 2, '']);
    expect(stderr).toContain(sentence);
  }
});
