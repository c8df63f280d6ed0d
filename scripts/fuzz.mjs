/**
 * Random programs, as many as one likes: straight ones, and ones with branches and loops. A failure is printed as a few lines of
 * TypeScript with its seed. Usage: npm run fuzz -- [--count N] [--seed N]
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const HELP = `Usage: npm run fuzz -- [--count N] [--seed N]

Runs random programs eagerly, compiled and on the reference device, and compares. Without options: 2,000 from seed 1.

Examples:
  npm run fuzz
  npm run fuzz -- --seed 41 --count 1`;

/** Of each kind. */
const COUNT = '2000';

try {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: COUNT },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  for (const [name, text] of Object.entries({ count: values.count, seed: values.seed }))
    if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${name} is a whole number from 1, not ‘${text}’`);
  const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/fuzz'], {
    stdio: 'inherit',
    env: { ...process.env, JITLENS_FUZZ: values.count, JITLENS_FUZZ_SEED: values.seed },
  });
  process.exit(status ?? 1);
} catch (error) {
  console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}\nSee \`npm run fuzz -- --help\`.`);
  process.exit(2);
}
