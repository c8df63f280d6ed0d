/** @file The runner processes of one workspace, found by the file that stands in their arguments. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One command line each. */
export async function runnersOf(workspace: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args', '-ww']);
  return stdout.split('\n').filter((line) => line.includes('runner.js') && line.includes(workspace));
}
