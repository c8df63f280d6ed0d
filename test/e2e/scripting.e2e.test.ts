/**
 * What a profile says of control flow: the arm that a trace did not take is greyed and marked in the editor, until the file is
 * edited; a scripted layer is called so, and the lines where it waits are named.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { openSession, type Session } from './session.ts';
import { activeLine, chooseTheme, clickText, faded, marks, openFile, panel, problems, runCommand, toast } from './workbench.ts';

const branch = `import { jit, nn, ones, type Tensor } from 'jitlens';

class Net extends nn.Module {
  forward(x: Tensor): Tensor {
    if (x.size(0) > 2) {
      const doubled = x.mul(2);
      return doubled.add(1);
    }
    return x.sub(1);
  }
}

export const net = jit.example(
  () => new Net(),
  () => [ones([2, 3])],
);
`;

describe('control flow and profiles', () => {
  let session: Session;
  let failed = false;
  const watch = () => onTestFailed(() => void (failed = true));
  const themes = [
    ['light', 'Light Modern'],
    ['dark', 'Dark Modern'],
  ] as const;
  const card = (label: string) => panel(session.page).locator('.card').filter({ hasText: label }).first();
  const arm = [5, 6, 7, 8];

  beforeAll(async () => {
    session = await openSession('scripting', { files: { 'branch.ts': branch }, settings: { 'files.autoSave': 'off' } });
  });
  afterAll(() => session.close(failed));

  it('greys and marks the arm that the trace did not take', async () => {
    watch();
    const { page } = session;
    await openFile(page, 'branch.ts');
    await runCommand(page, 'JitLens: Trace and Profile');
    await card('Traced').waitFor({ timeout: 60_000 });
    await toast(page, 'Profiling').waitFor({ state: 'hidden' });
    await expect.poll(() => faded(page, 'branch.ts')).toEqual(arm);
    expect((await marks(page, 'branch.ts')).filter(({ kind }) => kind === 'warning').map(({ line }) => line)).toContain(5);
    await runCommand(page, 'Problems: Focus on Problems View');
    await expect
      .poll(() => problems(page))
      .toContainEqual(expect.stringMatching(/the trace never went this way.*JitLens.*JL612/));
    for (const [name, theme] of themes) {
      await chooseTheme(page, theme);
      await session.screenshot(`untaken-arm-${name}`);
    }
  });

  it('takes that back while the file is another one', async () => {
    watch();
    const { page } = session;
    await clickText(page, 'branch.ts', 9, 'return');
    await page.keyboard.type(' ');
    await expect.poll(() => faded(page, 'branch.ts')).toEqual([]);
    await page.keyboard.press('Control+Z');
    await expect.poll(() => faded(page, 'branch.ts')).toEqual(arm);
  });

  it('calls a scripted layer scripted, and goes to where it waits', async () => {
    watch();
    const { page } = session;
    await runCommand(page, 'View: Hide Panel');
    await openFile(page, 'equilibrium.ts');
    await runCommand(page, 'JitLens: Trace and Profile');
    await card('Scripted').waitFor({ timeout: 90_000 });
    await toast(page, 'Profiling').waitFor({ state: 'hidden' });
    const waits = panel(page).locator('.advice').filter({ hasText: 'waits here' });
    await waits.scrollIntoViewIfNeeded();
    for (const [name, theme] of themes) {
      await chooseTheme(page, theme);
      await session.screenshot(`scripted-overview-${name}`);
    }
    await waits.locator('.source-line').filter({ hasText: '.item()' }).click();
    const lines = readFileSync(join(session.workspace, 'equilibrium.ts'), 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes('.item()')) + 1;
    await expect.poll(() => activeLine(page, 'equilibrium.ts')).toBe(line);
    expect(await panel(page).locator('body').innerText()).not.toContain('traced');
  });
});
