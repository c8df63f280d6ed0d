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
  // Its own list may be there at once, so that the widget is never seen to be hidden.
  await row.waitFor({ state: 'hidden' });
}

/** Takes an entry of the list that a command opened, by its label. */
export async function pick(page: Page, label: string): Promise<void> {
  const row = page.locator('.quick-input-list .monaco-list-row').filter({ hasText: label }).first();
  await row.waitFor();
  await row.click();
}

/** What the workbench is, in the kinds of themes that the tests take. */
const THEME_KINDS: readonly (readonly [RegExp, string])[] = [
  [/Contrast/, 'hc-black'],
  [/Dark/, 'vs-dark'],
  [/Light/, 'vs'],
];

/** Takes a colour theme by the name in its picker, and waits until it is there. */
export async function chooseTheme(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+K');
  await page.keyboard.press('Control+T');
  await page.locator(input).fill(name);
  await page.locator('.quick-input-list .monaco-list-row.focused').filter({ hasText: name }).waitFor();
  await page.keyboard.press('Enter');
  await page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
  const kind = THEME_KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? '';
  await page.locator(`.monaco-workbench.${kind}`).waitFor();
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

/** The inside of the profile panel, or of whatever other page is on show. */
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

/** Clicks on a text of a line (from 1), at its start. */
export async function clickText(page: Page, file: string, line: number, text: string): Promise<void> {
  let at = await placeOf(page, file, line, text);
  // Lines that are being drawn anew are nowhere for a moment.
  for (let tries = 20; !at && tries > 0; tries--) {
    await page.waitForTimeout(100);
    at = await placeOf(page, file, line, text);
  }
  if (!at) throw new Error(`‘${text}’ is not on line ${line} of ${file}`);
  await page.mouse.click(at.x + 1, at.y);
}

/** Where a text of a line begins on the screen; measured in the text itself, which is drawn in several elements. */
async function placeOf(page: Page, file: string, line: number, text: string): Promise<{ x: number; y: number } | undefined> {
  const top = await lineTop(page, file, line);
  return editor(page, file)
    .locator('.view-line')
    .evaluateAll(
      (lines, { top, text }) => {
        const element = (lines as HTMLElement[]).find((candidate) => Math.abs(candidate.getBoundingClientRect().top - top) < 2);
        if (!element) return undefined;
        const words = text.replaceAll(' ', '\u00a0');
        const offset = element.innerText.replaceAll(' ', '\u00a0').indexOf(words);
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        let left = offset;
        for (let node = walker.nextNode(); node && offset >= 0; node = walker.nextNode()) {
          const length = node.textContent?.length ?? 0;
          if (left < length) {
            const range = document.createRange();
            range.setStart(node, left);
            range.setEnd(node, left + 1);
            const box = range.getBoundingClientRect();
            return { x: box.left, y: box.top + box.height / 2 };
          }
          left -= length;
        }
        return undefined;
      },
      { top, text },
    );
}

async function lineTop(page: Page, file: string, line: number): Promise<number> {
  const number = editor(page, file).locator('.line-numbers').getByText(String(line), { exact: true });
  const box = await number.boundingBox();
  if (!box) throw new Error(`line ${line} of ${file} is not in view`);
  return box.y;
}

export interface Mark {
  readonly line: number;
  readonly kind: string;
}

/** What is underlined in an open file, by its lines; hints are not. */
export async function marks(page: Page, file: string): Promise<Mark[]> {
  const numbers = await editor(page, file)
    .locator('.line-numbers')
    .evaluateAll((all) => all.map((n) => ({ line: Number(n.textContent), top: n.getBoundingClientRect().top })));
  const squiggles = await editor(page, file)
    .locator('.cdr[class*="squiggly-"]')
    .evaluateAll((all) =>
      all.map((s) => ({
        kind: /squiggly-(\w+)/.exec(s.getAttribute('class') ?? '')?.[1] ?? '',
        top: s.getBoundingClientRect().top,
        bottom: s.getBoundingClientRect().bottom,
      })),
    );
  return squiggles
    .filter(({ kind }) => kind !== 'hint')
    .map(({ kind, top, bottom }) => {
      const middle = (top + bottom) / 2;
      const line = numbers.filter((n) => n.top <= middle).sort((a, b) => b.top - a.top)[0]?.line ?? 0;
      return { line, kind };
    });
}

/** The rows of the Problems panel, without those of files. */
export async function problems(page: Page): Promise<string[]> {
  const rows = page.locator('.markers-panel .monaco-list-row').filter({ has: page.locator('.marker-icon') });
  return (await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
}

/** What JitLens says in the status bar. */
export async function statusItem(page: Page): Promise<string> {
  const item = page.locator('.statusbar-item').filter({ hasText: 'scriptable' });
  return (await item.count()) === 0 ? '' : item.first().innerText();
}

/** Takes an action of the light bulb at the caret. */
export async function quickFix(page: Page, title: string, seen?: () => Promise<void>): Promise<void> {
  const rows = page.locator('.action-widget .monaco-list-row');
  const row = rows.filter({ hasText: title }).first();
  await openActions(page, row);
  await seen?.();
  // What is behind the menu takes clicks.
  const chosen = page.locator('.action-widget .monaco-list-row.focused').filter({ hasText: title });
  for (let tries = await rows.count(); tries > 0 && (await chosen.count()) === 0; tries--) await page.keyboard.press('ArrowDown');
  await chosen.waitFor();
  await page.keyboard.press('Enter');
  await row.waitFor({ state: 'hidden' });
}

/** The menu holds what was known when it was opened. */
async function openActions(page: Page, row: Locator): Promise<void> {
  for (let tries = 5; ; tries--) {
    await page.keyboard.press('Control+.');
    try {
      await row.waitFor({ timeout: 4_000 });
      return;
    } catch (error) {
      if (tries === 0) throw error;
      await page.keyboard.press('Escape');
    }
  }
}

/** The lines (from 1) of an open file that are greyed as not needed. */
export async function faded(page: Page, file: string): Promise<number[]> {
  const numbers = await editor(page, file)
    .locator('.line-numbers')
    .evaluateAll((all) => all.map((n) => ({ line: Number(n.textContent), top: n.getBoundingClientRect().top })));
  const tops = await editor(page, file)
    .locator('.view-line:has(.squiggly-inline-unnecessary)')
    .evaluateAll((all) => all.map((line) => line.getBoundingClientRect().top));
  return numbers
    .filter(({ top }) => tops.some((other) => Math.abs(other - top) < 2))
    .map(({ line }) => line)
    .sort((a, b) => a - b);
}
