/** @file In a workspace that is not trusted nothing is run: no lens, no command, and a plain message for a key binding. */
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { runnersOf } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { openFile, toast } from './workbench.ts';

const text = `import { jit, nn, rand } from 'jitlens';
class Subject extends nn.Module {}
export const subject = jit.example(() => new Subject(), () => [rand([8])]);
`;

describe('a workspace that is not trusted', () => {
  let session: Session;
  let failed = false;
  const watch = () => onTestFailed(() => void (failed = true));

  beforeAll(async () => {
    session = await openSession('trust', {
      files: { 'subject.ts': text },
      trusted: false,
      settings: { 'security.workspace.trust.startupPrompt': 'never' },
      keybindings: [{ key: 'ctrl+alt+p', command: 'jitlens.traceAndProfile' }],
    });
    await openFile(session.page, 'subject.ts');
  });
  afterAll(() => session.close(failed));

  it('says why it does not run', async () => {
    watch();
    const notice = toast(session.page, 'needs a trusted workspace');
    await expect
      .poll(
        async () => {
          await session.page.keyboard.press('Control+Alt+P');
          return notice.count();
        },
        { timeout: 20_000, interval: 1_000 },
      )
      .toBeGreaterThan(0);
    await session.screenshot('untrusted');
    expect(await runnersOf(session.workspace)).toEqual([]);
  });

  it('offers neither the command nor a lens', async () => {
    watch();
    const { page } = session;
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget input.input').fill('>JitLens:');
    const rows = page.locator('.quick-input-list .monaco-list-row');
    await rows.filter({ hasText: 'JitLens: Show Output' }).waitFor();
    expect(await rows.filter({ hasText: 'Trace and Profile' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    expect(await page.locator('.codelens-decoration').count()).toBe(0);
  });
});
