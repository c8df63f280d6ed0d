/**
 * @file Loads a user's module. In: a file. Out: what it exports, or an error that says what is wrong with it and where.
 * Syntax and imports of the file and all it imports are checked before any of it runs.
 */
import { build, type BuildFailure, type Message } from 'esbuild';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { JitLensError } from '../errors.ts';

export async function loadModule(file: string): Promise<Record<string, unknown>> {
  if (!existsSync(file))
    throw new JitLensError('JLR-FILE', `there is no file ${file}`, 'It may have been moved or deleted; check the path.');
  await check(file);
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}

async function check(file: string): Promise<void> {
  try {
    await build({
      entryPoints: [file],
      bundle: true,
      write: false,
      packages: 'external',
      format: 'esm',
      target: 'node20',
      platform: 'node',
      logLevel: 'silent',
      absWorkingDir: process.cwd(),
    });
  } catch (error) {
    const [first, ...more] = isBuildFailure(error) ? error.errors : [];
    if (!first) throw error;
    throw inSource(first, more.length);
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}

function inSource({ text, location }: Message, more: number): JitLensError {
  const also = more > 0 ? ` (and ${more} more)` : '';
  const place = location ? { file: resolve(location.file), line: location.line, column: location.column + 1 } : undefined;
  return new JitLensError('JLR-SYNTAX', `${text}${also}`, 'The file cannot be read as TypeScript until this is fixed.', place);
}
