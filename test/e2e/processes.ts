/** @file The processes that JitLens started for one workspace, found by what stands in their arguments. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** One command line each. */
export async function runnersOf(workspace: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args', '-ww']);
  return stdout.split('\n').filter((line) => line.includes('runner.js') && line.includes(workspace));
}

/** The ids of the analysers of the extension that is installed under a folder. */
export async function analysersOf(folder: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args', '-ww']);
  const lines = stdout.split('\n').filter((line) => line.includes('analyser.js') && line.includes(folder));
  return lines.map((line) => Number.parseInt(line, 10));
}
