/** @file The main job in a real VS Code: run the command on the sample, read the panel, go from panel to line and back. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import type { Profile } from '../../runtime/profile/model.ts';
import { openSession, type Session } from './session.ts';
import { activeLine, chooseTheme, clickLine, lineCosts, openFile, panel, runCommand, toast } from './workbench.ts';

const file = 'conv2d.ts';

describe('Trace and Profile on the sample', () => {
  let session: Session;
  let failed = false;
  let lines: readonly string[];
  const watch = () => onTestFailed(() => void (failed = true));
  const lineOf = (text: string) => lines.findIndex((line) => line.includes(text)) + 1;
  const lenses = () => session.page.locator('.codelens-decoration').filter({ hasText: 'Trace and profile' });
  const openTab = (name: string) => panel(session.page).getByRole('tab', { name }).click();

  beforeAll(async () => {
    session = await openSession('profile');
    lines = readFileSync(join(session.workspace, file), 'utf8').split('\n');
    await openFile(session.page, file);
  });
  afterAll(() => session.close(failed));

  it('offers a lens above the example and above its class', async () => {
    watch();
    await expect.poll(() => lenses().count(), { timeout: 30_000 }).toBe(2);
  });

  it('runs from the palette and shows the figures', async () => {
    watch();
    const { page } = session;
    await runCommand(page, 'JitLens: Trace and Profile');
    await toast(page, 'Profiling conv2d').waitFor();
    const dispatches = panel(page).locator('.card').filter({ hasText: 'Dispatches' }).locator('.value');
    await dispatches.waitFor({ timeout: 60_000 });
    const [eager = 0, traced = 0] = (await dispatches.innerText()).split('→').map((figure) => Number(figure.replace(/\D/g, '')));
    expect(eager).toBeGreaterThanOrEqual(100);
    expect(traced).toBeGreaterThanOrEqual(1);
    expect(traced).toBeLessThanOrEqual(2);
  });

  it('says in the editor what it cost', async () => {
    watch();
    const { page } = session;
    await lenses()
      .filter({ hasText: /last [\d.]+ (µs|ms|s)/ })
      .first()
      .waitFor();
    await expect.poll(() => lineCosts(page, file)).not.toEqual([]);
    await toast(page, 'Profiling').waitFor({ state: 'hidden' });
    await session.screenshot('dark-overview');
  });

  it('goes from a row to its line', async () => {
    watch();
    const { page } = session;
    await openTab('Ops');
    await panel(page)
      .locator('.row .cell.op')
      .filter({ hasText: /^matmul/ })
      .first()
      .click();
    await expect.poll(() => activeLine(page, file), { timeout: 10_000 }).toBe(lineOf('matmul('));
    // A lens that comes into view is drawn with its old text first.
    await lenses().filter({ hasNotText: 'last' }).waitFor({ state: 'hidden' });
    await session.screenshot('dark-ops');
  });

  it('goes from a node of the graph to its line', async () => {
    watch();
    const { page } = session;
    await openTab('Graph');
    await panel(page).getByText('arranging').waitFor({ state: 'hidden' });
    await panel(page).getByRole('button', { name: 'Fit' }).click();
    const at = await nodeAt('contiguous');
    await page.mouse.click(at.x, at.y);
    await expect.poll(() => activeLine(page, file), { timeout: 10_000 }).toBe(lineOf('.contiguous('));
  });

  /** Moves over the canvas until the tip under the pointer names the op. */
  async function nodeAt(op: string): Promise<{ x: number; y: number }> {
    const { page } = session;
    const box = await panel(page).locator('canvas.canvas').boundingBox();
    expect(box).not.toBeNull();
    const tip = panel(page).locator('.tip');
    for (let y = (box?.y ?? 0) + 6; y < (box?.y ?? 0) + (box?.height ?? 0); y += 6) {
      for (let x = (box?.x ?? 0) + 20; x < (box?.x ?? 0) + (box?.width ?? 0); x += 25) {
        await page.mouse.move(x, y);
        if ((await tip.isVisible()) && (await tip.innerText()).startsWith(`op ${op}`)) return { x, y };
      }
    }
    throw new Error(`no box of the graph is called ${op}`);
  }

  it('marks the ops of the line on which the caret is put', async () => {
    watch();
    const { page } = session;
    await openTab('Ops');
    const line = lineOf('unfold(');
    await clickLine(page, file, line);
    const marked = panel(page).locator('.row.caret').first();
    await marked.waitFor();
    expect(await marked.innerText()).toContain(`${file}:${line}`);
  });

  it('opens the WGSL of a kernel as a document that cannot be edited', async () => {
    watch();
    const { page } = session;
    await openTab('Kernels');
    await session.screenshot('dark-kernels');
    await panel(page).getByText('Open as document').first().click();
    const tab = page.locator('.tab.active').filter({ hasText: '.wgsl' });
    await tab.waitFor();
    await page.locator('.view-line').filter({ hasText: '@compute' }).first().waitFor();
    await tab.locator('.codicon-close').click();
    await page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor();
  });

  it('says that the source was edited, until that is undone', async () => {
    watch();
    const { page } = session;
    const chip = panel(page).getByText('source changed since this run');
    await clickLine(page, file, lineOf('unfold('));
    await page.keyboard.type('x');
    await chip.waitFor();
    await expect.poll(() => lineCosts(page, file)).toEqual([]);
    await page.keyboard.press('Control+Z');
    await chip.waitFor({ state: 'hidden' });
    await expect.poll(() => lineCosts(page, file)).not.toEqual([]);
  });

  it('saves the profile', async () => {
    watch();
    const { page } = session;
    await panel(page).getByText('Save', { exact: true }).click();
    const name = page.locator('.quick-input-widget input.input');
    await expect.poll(() => name.inputValue()).toContain('conv2d.jlprof');
    await page.keyboard.press('Enter');
    const saved = join(session.workspace, 'conv2d.jlprof');
    // The file is there before its text is.
    const format = () => existsSync(saved) && (JSON.parse(readFileSync(saved, 'utf8') || '{}') as Partial<Profile>).format;
    await expect.poll(format, { timeout: 10_000 }).toBe('jitlens.profile');
  });

  it('draws in light, dark and high contrast, within its content security policy', async () => {
    watch();
    const { page } = session;
    await openTab('Graph');
    await panel(page).locator('canvas').first().waitFor();
    for (const [name, theme] of [
      ['dark', 'Dark Modern'],
      ['light', 'Light Modern'],
      ['contrast', 'Dark High Contrast'],
    ] as const) {
      await chooseTheme(page, theme);
      for (const tab of ['Overview', 'Graph']) {
        await openTab(tab);
        await panel(page).getByText('arranging').waitFor({ state: 'hidden' });
        await session.screenshot(`${name}-${tab.toLowerCase()}`);
      }
    }
    expect(session.consoleErrors.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
  });
});
