import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';
import { jitlens } from '../../runtime/load/vite.ts';

const root = new URL('../../', import.meta.url);

/** Tests that take minutes: `npm run test:slow`. */
export default defineConfig({
  root: fileURLToPath(root),
  resolve: { alias: { jitlens: fileURLToPath(new URL('runtime/index.ts', root)) } },
  plugins: [jitlens()],
  test: {
    include: ['test/slow/**/*.test.ts'],
    pool: 'forks',
    env: { JITLENS_CACHE: 'off' },
    fileParallelism: false,
    testTimeout: 1_800_000,
    hookTimeout: 60_000,
  },
});
