/**
 * @file One VS Code with the installed extension in one browser. In: the files of its workspace. Out: the page and the
 * folder; `close` ends both, and on a failed test first keeps a screenshot and the logs.
 */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { inject } from 'vitest';
import { cacheFolder, findChromium, makeWorkspace, startServer } from '../../scripts/e2e.mjs';

export interface Session {
  readonly page: Page;
  readonly workspace: string;
  /** Errors that the browser printed, the panel's included. */
  readonly consoleErrors: readonly string[];
  screenshot(name: string): Promise<void>;
  close(failed: boolean): Promise<void>;
}

const dark = { 'workbench.colorTheme': 'Default Dark Modern' };

export interface SessionOptions {
  /** Files of the workspace beside the samples. */
  readonly files?: Readonly<Record<string, string>>;
  readonly trusted?: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly keybindings?: readonly { readonly key: string; readonly command: string }[];
}

export async function openSession(name: string, options: SessionOptions = {}): Promise<Session> {
  const runFolder = join(cacheFolder, 'e2e', name);
  const workspace = join(runFolder, 'workspace');
  await makeWorkspace(workspace);
  for (const [file, text] of Object.entries(options.files ?? {})) await writeFile(join(workspace, file), text);
  const userFolder = join(runFolder, 'user-data', 'User');
  await mkdir(userFolder, { recursive: true });
  await writeFile(join(userFolder, 'keybindings.json'), JSON.stringify(options.keybindings ?? []));
  const server = await startServer({
    vscode: inject('vscode'),
    runFolder,
    workspace,
    vsix: [inject('vsix')],
    settings: { ...dark, ...options.settings },
    trusted: options.trusted,
  });
  const browser = await chromium.launch(await findChromium());
  const page = await browser.newPage({ viewport: { width: 1680, height: 1000 } });
  page.setDefaultTimeout(30_000);
  const consoleErrors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') consoleErrors.push(message.text());
  });

  const screenshot = async (title: string) => {
    await mkdir(join(cacheFolder, 'screenshots'), { recursive: true });
    await page.screenshot({ path: join(cacheFolder, 'screenshots', `${title}.png`) });
  };
  await page.goto(server.url);
  await page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();

  return {
    page,
    workspace,
    consoleErrors,
    screenshot,
    async close(failed) {
      if (failed) {
        await screenshot(`failed-${name}`).catch(() => undefined);
        const kept = join(cacheFolder, 'e2e-failed', name);
        await cp(join(runFolder, 'user-data', 'logs'), kept, { recursive: true, force: true }).catch(() => undefined);
        await mkdir(kept, { recursive: true });
        await writeFile(join(kept, 'browser.log'), consoleErrors.join('\n'));
        console.error(`Kept: ${kept} and .cache/screenshots/failed-${name}.png`);
      }
      await browser.close();
      await server.stop();
    },
  };
}
