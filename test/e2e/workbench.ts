/** @file What a user does in VS Code, as functions on its page. Each waits for what it caused. */
import type { FrameLocator, Locator, Page } from 'playwright-core';

const input = '.quick-input-widget input.input';

/** Opens a file of the workspace by its name. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.locator('.explorer-folders-view .monaco-list-row').filter({ hasText: name }).first().dblclick();
  await page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
  await page.locator('.editor-instance .view-line').first().waitFor();
}

/** Runs a command by its title from the palette, which shows only the extensions that were there when it opened. */
export async function runCommand(page: Page, title: string): Promise<void> {
  const row = page.locator('.quick-input-list .monaco-list-row.focused').filter({ hasText: title });
  for (let tries = 10; ; tries--) {
    await page.keyboard.press('F1');
    await page.locator(input).fill(`>${title}`);
    try {
      await row.waitFor({ timeout: 3_000 });
      break;
    } catch (error) {
      if (tries === 0) throw error;
      await page.keyboard.press('Escape');
    }
  }
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
}

/** Takes a colour theme by the name in its picker. */
export async function chooseTheme(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+K');
  await page.keyboard.press('Control+T');
  await page.locator(input).fill(name);
  await page.locator('.quick-input-list .monaco-list-row.focused').filter({ hasText: name }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
}

/** Puts the caret on a line (from 1) of an open file, by a click behind its text. */
export async function clickLine(page: Page, file: string, line: number): Promise<void> {
  const number = editor(page, file).locator('.line-numbers').getByText(String(line), { exact: true });
  const box = await number.boundingBox();
  if (!box) throw new Error(`line ${line} of ${file} is not in view`);
  await page.mouse.click(box.x + box.width + 40, box.y + box.height / 2);
}

/** The line (from 1) on which the caret of an open file stands. */
export async function activeLine(page: Page, file: string): Promise<number> {
  return Number(await editor(page, file).locator('.line-numbers.active-line-number').innerText());
}

function editor(page: Page, file: string): Locator {
  return page.locator(`.editor-instance .monaco-editor[data-uri$="/${file}"]`);
}

/** The inside of the profile panel. */
export function panel(page: Page): FrameLocator {
  return page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
}

export function toast(page: Page, text: string): Locator {
  return page.locator('.notifications-toasts .notification-list-item').filter({ hasText: text });
}

/** The costs that stand right of the lines; they are drawn by style sheets and are in no element's text. */
export async function lineCosts(page: Page, file: string): Promise<string[]> {
  return editor(page, file)
    .locator('.view-line span')
    .evaluateAll((spans) =>
      spans.map((span) => getComputedStyle(span, '::after').content).filter((text) => /eager|free/.test(text)),
    );
}
