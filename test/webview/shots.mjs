/**
 * @file Pictures of the panel for a person to look at; no part of the tests. In: the synthetic profiles. Out: PNGs of
 * every view in dark, light and high contrast, and whatever the page's policy refused or threw.
 * Usage: node test/webview/shots.mjs [folder] [name …]; CHROMIUM names a browser to use in place of the packaged one.
 */
import { createServer } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { themes } from './themes.mjs';

const [folder = '/tmp/jitlens-shots', ...only] = process.argv.slice(2);
await mkdir(folder, { recursive: true });

const bundle = async (entry, format, platform) => {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    platform,
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    outdir: '/',
    logLevel: 'error',
  });
  return outputFiles;
};
const panel = await bundle('webview/main.tsx', 'iife', 'browser');
const worker = await bundle('webview/graph/layout.worker.ts', 'iife', 'browser');
const [fixtures] = await bundle('test/fixtures/profiles.ts', 'esm', 'node');
const { conv2dProfile, lstmProfile, largeProfile } = await import(
  `data:text/javascript;base64,${Buffer.from(fixtures.contents).toString('base64')}`
);
const profiles = { conv2d: conv2dProfile(), software: conv2dProfile('software'), lstm: lstmProfile(), large: largeProfile() };

const policy = `default-src 'none'; script-src 'nonce-n'; style-src 'self' 'nonce-n'; worker-src blob:; connect-src 'self'; font-src 'self'; img-src 'self' data:`;
const page = (theme) => `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<style nonce="n">:root { ${Object.entries(themes[theme].colours)
  .map(([name, value]) => `--vscode-${name}: ${value};`)
  .join(' ')} }</style>
<link rel="stylesheet" href="/main.css"><title>JitLens</title></head>
<body class="${themes[theme].class}"><div id="root" data-layout-worker="/layout.worker.js"></div>
<script nonce="n">
  window.posted = [];
  let state = JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined;
  window.acquireVsCodeApi = () => ({
    postMessage: (message) => window.posted.push(message),
    getState: () => state,
    setState: (next) => { state = next; sessionStorage.setItem('state', JSON.stringify(next)); },
  });
</script>
<script nonce="n" src="/main.js"></script></body></html>`;

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const file = [...panel, ...worker].find((output) => output.path === url.pathname);
  if (url.pathname === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(page(url.searchParams.get('theme')));
  else if (file)
    response.writeHead(200, { 'content-type': file.path.endsWith('.css') ? 'text/css' : 'text/javascript' }).end(file.contents);
  else response.writeHead(404).end();
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;

/** Each shot: profile, theme, stored view, size, and what to do before it is taken. */
const shots = {
  'overview-dark': { profile: 'conv2d', theme: 'dark', view: {} },
  'overview-light': { profile: 'conv2d', theme: 'light', view: {} },
  'overview-contrast': { profile: 'conv2d', theme: 'contrast', view: {} },
  'overview-software': { profile: 'software', theme: 'dark', view: {}, messages: [{ type: 'stale', stale: true }] },
  'overview-narrow': { profile: 'lstm', theme: 'dark', view: {}, size: [520, 900] },
  'overview-lstm': { profile: 'lstm', theme: 'light', view: {} },
  'graph-dark': { profile: 'conv2d', theme: 'dark', view: { tab: 'graph' } },
  'graph-light-selected': { profile: 'conv2d', theme: 'light', view: { tab: 'graph', selection: { kind: 'node', id: '%11' } } },
  'graph-contrast': { profile: 'conv2d', theme: 'contrast', view: { tab: 'graph', selection: { kind: 'kernel', id: 'k0' } } },
  'graph-ops': { profile: 'conv2d', theme: 'dark', view: { tab: 'graph', fold: false } },
  'graph-right': { profile: 'conv2d', theme: 'dark', view: { tab: 'graph', direction: 'LR' } },
  'graph-lstm': { profile: 'lstm', theme: 'dark', view: { tab: 'graph' } },
  'graph-lstm-open': {
    profile: 'lstm',
    theme: 'dark',
    view: { tab: 'graph', expanded: ['k1', 'k2', 'k11'], selection: { kind: 'kernel', id: 'k1' } },
  },
  'graph-search': { profile: 'lstm', theme: 'dark', view: { tab: 'graph', query: 'sigmoid', expanded: ['k1'] } },
  'graph-large': { profile: 'large', theme: 'dark', view: { tab: 'graph' }, wait: 4000 },
  'graph-caret': {
    profile: 'conv2d',
    theme: 'dark',
    view: { tab: 'graph' },
    messages: [{ type: 'caret', file: '/home/ada/vision/src/conv2d.ts', line: 27 }],
  },
  'graph-narrow': {
    profile: 'conv2d',
    theme: 'light',
    view: { tab: 'graph', selection: { kind: 'node', id: '%11' } },
    size: [560, 700],
  },
  'ops-dark': {
    profile: 'conv2d',
    theme: 'dark',
    view: { tab: 'ops', sort: { column: 'eager', descending: true }, selection: { kind: 'node', id: '%18' } },
    messages: [{ type: 'caret', file: '/home/ada/vision/src/conv2d.ts', line: 29 }],
  },
  'ops-lines-light': {
    profile: 'conv2d',
    theme: 'light',
    view: { tab: 'ops', grouping: 'line', opened: [], sort: { column: 'eager', descending: true } },
  },
  'ops-contrast': { profile: 'large', theme: 'contrast', view: { tab: 'ops', selection: { kind: 'node', id: '%2500' } } },
  'kernels-dark': { profile: 'conv2d', theme: 'dark', view: { tab: 'kernels', selection: { kind: 'node', id: '%11' } } },
  'kernels-light': { profile: 'lstm', theme: 'light', view: { tab: 'kernels' } },
  'kernels-contrast': { profile: 'conv2d', theme: 'contrast', view: { tab: 'kernels', selection: { kind: 'node', id: '%11' } } },
  'kernels-eager': { profile: 'conv2d', theme: 'dark', view: { tab: 'kernels', mode: 'eager' } },
};

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const packaged = async () => (await import('@sparticuz/chromium')).default.executablePath();
const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? (await packaged()), args: flags });
for (const [name, shot] of Object.entries(shots)) {
  if (only.length > 0 && !only.some((wanted) => name.includes(wanted))) continue;
  const [width, height] = shot.size ?? [1180, 860];
  const tab = await browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' });
  const problems = [];
  tab.on('console', (message) => ['error', 'warning'].includes(message.type()) && problems.push(message.text()));
  tab.on('pageerror', (error) => problems.push(error.stack ?? error.message));
  await tab.addInitScript(
    (view) => sessionStorage.setItem('state', sessionStorage.getItem('state') ?? JSON.stringify(view)),
    shot.view,
  );
  await tab.goto(`${origin}/?theme=${shot.theme}`);
  const painted = await tab.evaluate(
    ([profile, messages]) =>
      new Promise((done) => {
        const start = performance.now();
        window.dispatchEvent(new MessageEvent('message', { data: { type: 'profile', profile } }));
        for (const data of messages) window.dispatchEvent(new MessageEvent('message', { data }));
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
      }),
    [profiles[shot.profile], shot.messages ?? []],
  );
  await tab.waitForTimeout(shot.wait ?? 700);
  await tab.screenshot({ path: join(folder, `${name}.png`) });
  console.log(name, `first paint ${painted.toFixed(0)} ms`, ...problems);
  await tab.close();
}
await browser.close();
server.close();
