/**
 * @file A Chromium that starts without anything installed on the machine. Out: the program and the environment it
 * needs. The system's own is taken where there is one, else the one of the @sparticuz/chromium package, unpacked into
 * the cache with its libraries and fonts.
 */
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { extract } from 'tar-fs';
import { cached } from './cache.mjs';

const require = createRequire(import.meta.url);
const SYSTEM = '/usr/bin/chromium';

/** @returns {Promise<{ executablePath: string, env: NodeJS.ProcessEnv, args: string[] }>} */
export async function findChromium() {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];
  args.push('--disable-component-update', '--disable-sync');
  if (existsSync(SYSTEM)) return { executablePath: SYSTEM, env: process.env, args };

  const packageFolder = dirname(dirname(dirname(require.resolve('@sparticuz/chromium'))));
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8'));
  const folder = await cached(`chromium-${version}`, (staging) => unpack(join(packageFolder, 'bin'), staging));
  const libraries = [join(folder, 'libraries', 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  return {
    executablePath: join(folder, 'chromium'),
    env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: await writeFontConfig(folder) },
    args: [...args, '--headless', '--no-zygote'],
  };
}

async function unpack(bin, folder) {
  const open = (name) => [createReadStream(join(bin, name)), createBrotliDecompress()];
  await pipeline(...open('chromium.br'), createWriteStream(join(folder, 'chromium'), { mode: 0o755 }));
  await pipeline(...open('al2023.tar.br'), extract(join(folder, 'libraries')));
  await pipeline(...open('fonts.tar.br'), extract(join(folder, 'fonts')));
}

/** The package's own configuration names folders of another machine. */
async function writeFontConfig(folder) {
  const file = join(folder, 'fonts.conf');
  const folders = ['/usr/share/fonts', '/usr/local/share/fonts', join(folder, 'fonts')];
  const list = folders.map((name) => `  <dir>${name}</dir>\n`).join('');
  const aliases = [
    ['monospace', 'DejaVu Sans Mono', 'Open Sans'],
    ['sans-serif', 'Open Sans', 'DejaVu Sans'],
  ].map(([family, ...fonts]) => {
    const preferred = fonts.map((font) => `<family>${font}</family>`).join('');
    return `  <alias><family>${family}</family><prefer>${preferred}</prefer></alias>\n`;
  });
  const cache = `  <cachedir>${join(folder, 'font-cache')}</cachedir>\n`;
  const document = `<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>\n${list}${cache}${aliases.join('')}</fontconfig>\n`;
  await writeFile(file, document);
  return file;
}
