/** @file What a user does in VS Code, as functions on its page. Each waits for what it caused. */
import type { FrameLocator, Locator, Page } from 'playwright-core';

const input = '.quick-input-widget input.input';

/** Opens a file of the workspace by its name. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).first().dblclick();
  await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  await page.locator('.editor-instance .view-line').first().waitFor();
}

/** Runs a command by its title from the palette. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await page.keyboard.press('F1');
  await page.locator(input).fill(`>${title}`);
  await page.locator('.quick-input-list .monaco-list-row.focused').filter({ hasText: title }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
}

/** Puts the caret on a line (from 1) of the active editor. */
export async function goToLine(page: Page, line: number): Promise<void> {
  await page.keyboard.press('F1');
  await page.locator(input).fill(`:${line}`);
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
}

/** The inside of the profile panel. */
export function panel(page: Page): FrameLocator {
  return page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
}

export function toast(page: Page, text: string): Locator {
  return page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text });
}

/** `Ln 12, Col 5` of the status bar as numbers. */
export async function caret(page: Page): Promise<{ line: number; column: number }> {
  const text = await page.locator('#status\\.editor\\.selection').innerText();
  const [, line, column] = /Ln (\d+), Col (\d+)/.exec(text) ?? [];
  return { line: Number(line), column: Number(column) };
}
