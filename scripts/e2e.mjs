/** @file What the end-to-end tests take from the scripts, in one place so that it can be typed (e2e.d.mts). */
export { cacheFolder, repository } from './cache.mjs';
export { findChromium } from './chromium.mjs';
export { packageVsix } from './package.mjs';
export { startServer } from './server.mjs';
export { installVscode } from './vscode.mjs';
export { makeWorkspace } from './workspace.mjs';
