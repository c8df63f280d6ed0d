/**
 * @file What the user's tsconfig.json says about running their code. In: a file. Out: options for esbuild, the same for a whole folder,
 * and the files that its path aliases mean. TypeScript itself reads and resolves, so that the editor and a run agree.
 */
import type { TransformOptions } from 'esbuild';
import { dirname } from 'node:path';
import { ts, type TS } from '../script/typescript.ts';

export type CompilerOptions = Pick<TransformOptions, 'tsconfigRaw'>;

const known = new Map<string, TS.CompilerOptions | undefined>();

export function compilerOptions(file: string): CompilerOptions {
  const options = optionsOf(file);
  if (!options) return {};
  const { experimentalDecorators, target = ts.ScriptTarget.Latest } = options;
  const useDefineForClassFields = options.useDefineForClassFields ?? target >= ts.ScriptTarget.ES2022;
  return { tsconfigRaw: { compilerOptions: { experimentalDecorators, useDefineForClassFields } } };
}

/** The file that a name like `@/layers` means by `paths` or `baseUrl`; none where only a package can be meant. */
export function aliased(specifier: string, importer: string): string | undefined {
  const options = optionsOf(importer);
  if (!options || !(options.paths || 'baseUrl' in options)) return undefined;
  const how = { ...options, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, allowJs: true };
  const { resolvedModule } = ts.resolveModuleName(specifier, importer, how, ts.sys);
  // What only declares is nothing to run.
  if (!resolvedModule || resolvedModule.extension.startsWith('.d.')) return undefined;
  const isAlias = Object.keys(options.paths ?? {}).some((pattern) => fits(specifier, pattern));
  return isAlias || !resolvedModule.isExternalLibraryImport ? resolvedModule.resolvedFileName : undefined;
}

function fits(specifier: string, pattern: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return specifier === pattern;
  return specifier.length >= pattern.length - 1 && specifier.startsWith(start) && specifier.endsWith(end);
}

function optionsOf(file: string): TS.CompilerOptions | undefined {
  const folder = dirname(file);
  if (!known.has(folder)) known.set(folder, read(folder));
  return known.get(folder);
}

function read(folder: string): TS.CompilerOptions | undefined {
  const file = ts.findConfigFile(folder, ts.sys.fileExists);
  if (file === undefined) return undefined;
  // Only the options are asked for: which files belong to the project would take long to find out.
  const host = { ...ts.sys, readDirectory: () => [] };
  const config: unknown = ts.readConfigFile(file, ts.sys.readFile).config;
  return ts.parseJsonConfigFileContent(config ?? {}, host, dirname(file), undefined, file).options;
}
