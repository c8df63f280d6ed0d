/**
 * @file Runs once before all end-to-end tests: VS Code and Chromium are in the cache, and the VSIX is made from dist/.
 * Out: their places, through vitest's `inject`.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { cacheFolder, findChromium, installVscode, packageVsix } from '../../scripts/e2e.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly vscode: string;
    readonly vsix: string;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const vscode = await installVscode();
  await findChromium();
  const folder = join(cacheFolder, 'e2e');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const vsix = join(folder, 'jitlens.vsix');
  await packageVsix(vsix);
  project.provide('vscode', vscode);
  project.provide('vsix', vsix);
}
