/**
 * @file The runner process: loads a user's module, profiles its example, reports, ends. In: a request, its only argument.
 * Out: messages on file descriptor 3. What the user's code prints goes where it went. One run, one process.
 */
import { register } from 'node:module';
import { resolve } from 'node:path';
import { JitLensError } from '../errors.ts';
import { keepFrames } from '../frames.ts';
import { openBackend } from '../kernels/open.ts';
import { loadModule } from '../load/load.ts';
import '../ops/table.ts';
import { Coverage } from '../script/coverage.ts';
import { setCurrentBackend } from '../tensor/backend.ts';
import { Channel } from './channel.ts';
import { findExample } from './examples.ts';
import { failureOf } from './failure.ts';
import { profile } from './profile.ts';
import type { ProfileRequest } from './protocol.ts';

const DEFAULT_RUNS = 30;

async function main(): Promise<void> {
  const request = JSON.parse(process.argv[2] ?? '{}') as ProfileRequest;
  const file = resolve(request.file);
  const channel = new Channel({ ...request, file });
  keepFrames();
  process.setSourceMapsEnabled(true);
  const end = async (code: number) => {
    await channel.close();
    process.exit(code);
  };
  const fail = (error: unknown) => {
    channel.failed(failureOf(error, file));
    return end(1);
  };
  process.on('uncaughtException', (error) => void fail(error));
  process.on('unhandledRejection', (error) => void fail(error));
  try {
    channel.stage('start', 'Opening the device', 0.01);
    // Gets ready in a thread of its own while the device opens.
    register('./hooks.js', import.meta.url);
    const backend = await openBackend(request.device);
    setCurrentBackend(backend);
    channel.stage('load', 'Loading the module', 0.05);
    const coverage = new Coverage();
    const { name, example } = findExample(await loadModule(file), file, request.example);
    const runs = request.runs ?? DEFAULT_RUNS;
    if (!Number.isInteger(runs) || runs < 1)
      throw new JitLensError('JLR-RUNS', `${runs} is not a number of runs`, 'Use a whole number from 1.');
    channel.done(await profile(backend, { file, name, example, runs, coverage }, channel));
    await end(0);
  } catch (error) {
    await fail(error);
  }
}

await main();
