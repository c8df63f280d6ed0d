/** @file What goes wrong, in a real VS Code: code that throws, code that does not parse, code that never ends. */
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { runnersOf } from './processes.ts';
import { openSession, type Session } from './session.ts';
import { activeLine, openFile, panel, runCommand, toast } from './workbench.ts';

const moduleText = (body: string) => `import { jit, nn, rand, type Tensor } from 'jitlens';

class Subject extends nn.Module {
  forward(x: Tensor): Tensor {
    ${body}
  }
}

export const subject = jit.example(() => new Subject(), () => [rand([8])]);
`;
const files = {
  'good.ts': moduleText('return x.add(x);').replaceAll('subject', 'good'),
  'throws.ts': moduleText("throw new Error('no good');"),
  'syntax.ts': moduleText('return x.add(;'),
  'endless.ts': moduleText('for (;;) x.shape;'),
};
const bodyLine = 5;

describe('a run that fails', () => {
  let session: Session;
  let failed = false;
  const watch = () => onTestFailed(() => void (failed = true));
  const run = async (file: string) => {
    await openFile(session.page, file);
    await runCommand(session.page, 'JitLens: Trace and Profile');
  };
  const panelStays = async () => {
    await session.page.getByRole('tab', { name: 'Profile: good' }).waitFor();
    await panel(session.page).getByText('good').first().waitFor();
  };

  beforeAll(async () => {
    session = await openSession('failures', { files, settings: { 'jitlens.timeout': 6 } });
    await run('good.ts');
    await panel(session.page).getByText('good').first().waitFor();
  });
  afterAll(() => session.close(failed));

  it('tells what was thrown and where, and keeps the panel', async () => {
    watch();
    await run('throws.ts');
    const notice = toast(session.page, 'no good');
    await notice.waitFor();
    expect(await notice.innerText()).toContain(`throws.ts:${bodyLine}:`);
    await toast(session.page, 'Profiling').waitFor({ state: 'hidden' });
    await session.screenshot('failure');
    await notice.getByRole('button', { name: 'Go to Line' }).click();
    await expect.poll(() => activeLine(session.page, 'throws.ts')).toBe(bodyLine);
    await panelStays();
  });

  it('tells where a file does not parse, and shows details', async () => {
    watch();
    await run('syntax.ts');
    const notice = toast(session.page, `syntax.ts:${bodyLine}:`);
    await notice.waitFor();
    await notice.getByRole('button', { name: 'Show Details' }).click();
    await session.page.locator('.part.panel .view-line').filter({ hasText: 'JLR-' }).first().waitFor();
    await session.screenshot('details');
    await panelStays();
  });

  it('cancels code that never ends and leaves no process', async () => {
    watch();
    await run('endless.ts');
    const progress = toast(session.page, 'Profiling subject');
    await progress.waitFor();
    await expect.poll(() => runnersOf(session.workspace), { timeout: 15_000 }).toHaveLength(1);
    await progress.getByRole('button', { name: 'Cancel' }).click();
    await expect.poll(() => runnersOf(session.workspace), { timeout: 10_000 }).toEqual([]);
    await progress.waitFor({ state: 'hidden' });
    expect(await session.page.locator('.notifications-toasts .codicon-error').count()).toBe(0);
    await panelStays();
  });

  it('stops code that never ends at the time limit, and tells where it was', async () => {
    watch();
    await run('endless.ts');
    const notice = toast(session.page, 'no progress for 6 s');
    await notice.waitFor();
    expect(await notice.innerText()).toContain(`endless.ts:${bodyLine}:`);
    await session.screenshot('timeout');
    await expect.poll(() => runnersOf(session.workspace), { timeout: 10_000 }).toEqual([]);
    await panelStays();
  });

  it('leaves no process when the window is reloaded during a run, and brings the panel back', async () => {
    watch();
    await run('endless.ts');
    await expect.poll(() => runnersOf(session.workspace), { timeout: 15_000 }).toHaveLength(1);
    await session.page.reload();
    await expect.poll(() => runnersOf(session.workspace), { timeout: 20_000 }).toEqual([]);
    await panelStays();
  });
});
