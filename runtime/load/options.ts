/** @file What the user's tsconfig.json says about running their code. In: a file. Out: options for esbuild, the same for a whole folder. */
import type { TransformOptions } from 'esbuild';
import { dirname } from 'node:path';
import { ts } from '../script/typescript.ts';

export type CompilerOptions = Pick<TransformOptions, 'tsconfigRaw'>;

const known = new Map<string, CompilerOptions>();

export function compilerOptions(file: string): CompilerOptions {
  const folder = dirname(file);
  const options = known.get(folder) ?? read(folder);
  known.set(folder, options);
  return options;
}

function read(folder: string): CompilerOptions {
  const file = ts.findConfigFile(folder, ts.sys.fileExists);
  if (file === undefined) return {};
  // Only the options are asked for: which files belong to the project would take long to find out.
  const host = { ...ts.sys, readDirectory: () => [] };
  const config: unknown = ts.readConfigFile(file, ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config ?? {}, host, dirname(file));
  const { experimentalDecorators, target = ts.ScriptTarget.Latest } = options;
  const useDefineForClassFields = options.useDefineForClassFields ?? target >= ts.ScriptTarget.ES2022;
  return { tsconfigRaw: { compilerOptions: { experimentalDecorators, useDefineForClassFields } } };
}
