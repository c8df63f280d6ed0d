import { defineConfig } from 'vitest/config';
import { fileURLToPath } from 'node:url';
import { jitlens } from './runtime/load/vite.ts';

export default defineConfig({
  resolve: { alias: { jitlens: fileURLToPath(new URL('runtime/index.ts', import.meta.url)) } },
  plugins: [jitlens()],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'test/slow/**', 'node_modules/**'],
    pool: 'forks',
    // Tests try the code as it is; those of what is kept on disk name a folder of their own.
    env: { JITLENS_CACHE: 'off', JITLENS_TRIALS: 'off' },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
