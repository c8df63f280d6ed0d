/**
 * What cannot be scripted is marked while typing and fixed from the light bulb, in a trusted workspace and in one that is not.
 * The fixed files are run as a user runs them.
 */
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { repository } from '../../scripts/e2e.mjs';
import { analysersOf } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { chooseTheme, clickText, marks, openFile, panel, pick, problems, quickFix, runCommand, statusItem } from './workbench.ts';

const loops = `import { jit, range, tensor, type Tensor } from 'jitlens';

const overRange = jit.script((x: Tensor): Tensor => {
  let y = x;
  for (const n of range(0, 5)) y = y.add(n);
  return y;
});

const overTuple = jit.script((x: Tensor): Tensor => {
  let y = x;
  for (const n of [0, 1, 2] as const) y = y.add(n);
  return y;
});

const overArray = jit.script((x: Tensor): Tensor => {
  let y = x;
  const ns = [0, 1, 2];
  for (const n of ns) y = y.add(n);
  return y;
});

console.log(...(await overArray(overTuple(overRange(tensor([1])))).data()));
`;

const eager = `import { tensor, type Tensor } from 'jitlens';

async function choose(x: Tensor): Promise<Tensor> {
  if (x.sum().gt(0)) return x.mul(2);
  return x;
}

console.log(...(await (await choose(tensor([-1, -2]))).data()));
`;

const helper = `import { type Tensor } from 'jitlens';

export function walk(x: Tensor, ns: readonly number[]): Tensor {
  let y = x;
  for (const n of ns) y = y.add(n);
  return y;
}
`;

const caller = `import { jit } from 'jitlens';
import { walk } from './helper';

export const walked = jit.script(walk);
`;

const unrelated = `export function sum(ns: number[]): number {
  let total = 0;
  for (const n of ns) total += n;
  return total;
}
`;

/** What a file of the workspace prints. */
async function output(session: Session, file: string): Promise<string> {
  const register = pathToFileURL(join(repository, 'dist', 'register.js')).href;
  const args = ['--import', register, join(session.workspace, file)];
  return (await promisify(execFile)(process.execPath, args, { env: { ...process.env, JITLENS_DEVICE: 'reference' } })).stdout;
}

describe.each([
  ['a trusted workspace', true],
  ['a workspace that is not trusted', false],
])('diagnostics in %s', (_, trusted) => {
  let session: Session;
  let failed = false;
  const watch = () => onTestFailed(() => void (failed = true));
  const name = trusted ? 'diagnostics' : 'diagnostics-untrusted';

  beforeAll(async () => {
    session = await openSession(name, {
      files: { 'loops.ts': loops, 'eager.ts': eager, 'helper.ts': helper, 'caller.ts': caller, 'unrelated.ts': unrelated },
      trusted,
      settings: {
        'security.workspace.trust.startupPrompt': 'never',
        'files.autoSave': 'off',
        // One of the two is seen in light.
        ...(trusted ? {} : { 'workbench.colorTheme': 'Default Light Modern' }),
      },
    });
  });
  afterAll(() => session.close(failed));

  it('starts nothing for files that have nothing to do with tensors', async () => {
    watch();
    await openFile(session.page, 'unrelated.ts');
    await runCommand(session.page, 'Problems: Focus on Problems View');
    expect(await analysersOf(dirname(session.workspace))).toEqual([]);
  });

  it('marks exactly the loop over a mutable array', async () => {
    watch();
    const { page } = session;
    await openFile(page, 'loops.ts');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 60_000 }).toEqual([{ line: 18, kind: 'error' }]);
    await expect.poll(() => problems(page)).toEqual([expect.stringMatching(/‘ns’ is a mutable array.*JitLens.*JL203/)]);
    await expect.poll(() => statusItem(page)).toContain('2/3 scriptable');
    await session.screenshot(`${name}-squiggle`);
  });

  it('goes to the first function that cannot be scripted', async () => {
    watch();
    const { page } = session;
    await page.locator('.statusbar-item', { hasText: 'scriptable' }).click();
    const active = page.locator('.editor-instance .line-numbers.active-line-number');
    await expect.poll(() => active.first().innerText()).toBe('15');
  });

  it('fixes it from the light bulb, and what is fixed compiles and runs', async () => {
    watch();
    const { page } = session;
    await clickText(page, 'loops.ts', 18, 'ns)');
    await quickFix(page, 'as const', () => session.screenshot(`${name}-bulb`));
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([]);
    await expect.poll(() => problems(page)).toEqual([]);
    await expect.poll(() => statusItem(page)).toContain('3/3 scriptable');
    await page.keyboard.press('Control+S');
    await expect.poll(() => readFile(join(session.workspace, 'loops.ts'), 'utf8')).toContain('const ns = [0, 1, 2] as const;');
    expect(await output(session, 'loops.ts')).toBe('17\n');
  });

  it('marks a tensor in a condition of code that is not scripted, and fixes it', async () => {
    watch();
    const { page } = session;
    await openFile(page, 'eager.ts');
    await expect.poll(() => marks(page, 'eager.ts'), { timeout: 20_000 }).toEqual([{ line: 4, kind: 'error' }]);
    await expect.poll(() => problems(page)).toEqual([expect.stringMatching(/always true.*JitLens.*JL209/)]);
    await clickText(page, 'eager.ts', 4, 'sum');
    await quickFix(page, 'item()');
    await expect.poll(() => marks(page, 'eager.ts'), { timeout: 20_000 }).toEqual([]);
    await page.keyboard.press('Control+S');
    await expect.poll(() => readFile(join(session.workspace, 'eager.ts'), 'utf8')).toContain('await x.sum()');
    expect(await output(session, 'eager.ts')).toBe('-1 -2\n');
  });

  it('looks again at open files when another changes', async () => {
    watch();
    const { page } = session;
    await openFile(page, 'caller.ts');
    await openFile(page, 'helper.ts');
    await expect.poll(() => statusItem(page), { timeout: 20_000 }).toContain('1/1 scriptable');
    expect(await marks(page, 'helper.ts')).toEqual([]);
    await clickText(page, 'helper.ts', 3, 'readonly');
    for (const _ of 'readonly ') await page.keyboard.press('Delete');
    await expect.poll(() => marks(page, 'helper.ts'), { timeout: 20_000 }).toEqual([{ line: 5, kind: 'error' }]);
  });

  it('comes back when the analyser is killed', async () => {
    watch();
    const { page } = session;
    const [before, ...more] = await analysersOf(dirname(session.workspace));
    expect(more).toEqual([]);
    process.kill(before ?? NaN, 'SIGKILL');
    await page.keyboard.press('Control+Z');
    await expect.poll(() => marks(page, 'helper.ts'), { timeout: 20_000 }).toEqual([]);
    const [after] = await analysersOf(dirname(session.workspace));
    expect(after).toBeGreaterThan(0);
    expect(after).not.toBe(before);
  });

  it('suppresses with a reason that is typed at once', async () => {
    watch();
    const { page } = session;
    await page.keyboard.press('Control+Y');
    await expect.poll(() => marks(page, 'helper.ts'), { timeout: 20_000 }).toEqual([{ line: 5, kind: 'error' }]);
    await clickText(page, 'helper.ts', 5, 'ns)');
    await quickFix(page, 'Suppress JL203');
    await page.keyboard.type('nobody changes it');
    await page.keyboard.press('Control+S');
    await expect
      .poll(() => readFile(join(session.workspace, 'helper.ts'), 'utf8'))
      .toContain('\n  // jitlens-ignore JL203: nobody changes it\n  for (const n of ns)');
    await expect.poll(() => marks(page, 'helper.ts'), { timeout: 20_000 }).toEqual([]);
  });

  it('explains a rule by the link of its code', async () => {
    watch();
    const { page } = session;
    await openFile(page, 'loops.ts');
    await clickText(page, 'loops.ts', 17, ' as const');
    for (const _ of ' as const') await page.keyboard.press('Delete');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([{ line: 18, kind: 'error' }]);
    for (const [theme, title] of [
      ['Light Modern', 'light'],
      ['Dark Modern', 'dark'],
    ] as const) {
      await chooseTheme(page, theme);
      await clickText(page, 'loops.ts', 18, 'ns)');
      await runCommand(page, 'Show or Focus Hover');
      await page.locator('.monaco-hover-content').filter({ hasText: 'JL203' }).first().waitFor();
      await session.screenshot(`${name}-hover-${title}`);
    }
    await page.locator('.monaco-hover-content a').filter({ hasText: 'JL203' }).first().click();
    await panel(page).getByText('A mutable array is walked').waitFor();
    await session.screenshot(`${name}-page`);
  });
});

describe('what is contributed beside the editor', () => {
  let session: Session;
  let failed = false;
  const watch = () => onTestFailed(() => void (failed = true));

  beforeAll(async () => {
    session = await openSession('contributed', { files: { 'loops.ts': loops, 'unrelated.ts': unrelated } });
  });
  afterAll(() => session.close(failed));

  it('writes the sample that is picked, and opens it', async () => {
    watch();
    const { page } = session;
    await rm(join(session.workspace, 'equilibrium.ts'), { force: true });
    await runCommand(page, 'JitLens: Create Sample');
    await pick(page, 'equilibrium.ts');
    await page.locator('.tab.active[data-resource-name="equilibrium.ts"]').waitFor();
    expect(await readFile(join(session.workspace, 'equilibrium.ts'), 'utf8')).toBe(
      await readFile(join(repository, 'extension', 'samples', 'equilibrium.ts'), 'utf8'),
    );
  });

  it('opens a sample that is there already as it is', async () => {
    watch();
    const { page } = session;
    await writeFile(join(session.workspace, 'mnist.ts'), '// mine\n');
    await runCommand(page, 'JitLens: Create Sample');
    await pick(page, 'mnist.ts');
    await page.locator('.tab.active[data-resource-name="mnist.ts"]').waitFor();
    expect(await readFile(join(session.workspace, 'mnist.ts'), 'utf8')).toBe('// mine\n');
  });

  it('is as loud as the settings say, rule by rule', async () => {
    watch();
    const { page } = session;
    const file = join(session.workspace, '.vscode', 'settings.json');
    await openFile(page, 'loops.ts');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([{ line: 18, kind: 'error' }]);
    await mkdir(dirname(file), { recursive: true });
    const setTo = (level: string) =>
      writeFile(file, JSON.stringify({ 'jitlens.diagnostics.severity': { JL203: level, JL209: 'error' } }));
    await setTo('warning');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([{ line: 18, kind: 'warning' }]);
    await setTo('information');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([{ line: 18, kind: 'info' }]);
    await setTo('off');
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([]);
    await rm(file);
    await expect.poll(() => marks(page, 'loops.ts'), { timeout: 20_000 }).toEqual([{ line: 18, kind: 'error' }]);
  });
});
