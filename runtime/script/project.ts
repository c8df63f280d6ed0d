/**
 * @file The user's project as TypeScript sees it. In: the nearest tsconfig.json and unsaved texts. Out: a program, remade
 * after a change from all that did not change. Nothing is checked: types are worked out where a rule asks for one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ts, type TS } from './typescript.ts';

/** Where this package's own types are: built ones, else its sources. */
export function ownEntry(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    // Declarations are read much faster than what they are made from.
    for (const entry of ['dist/types/runtime/index.d.ts', 'runtime/index.ts']) {
      const path = join(folder, entry);
      if (existsSync(join(folder, 'package.json')) && existsSync(path)) return path;
    }
    if (dirname(folder) === folder) return join(here, 'index.d.ts');
  }
}

function defaults(): TS.CompilerOptions {
  return {
    target: ts.ScriptTarget.ESNext,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    types: [],
  };
}

/** What analysis needs whatever the user's settings are: `undefined` must be visible in types. */
const FORCED: TS.CompilerOptions = {
  allowJs: true,
  checkJs: false,
  noEmit: true,
  skipLibCheck: true,
  strictNullChecks: true,
  allowImportingTsExtensions: true,
  incremental: false,
  composite: false,
  maxNodeModuleJsDepth: 0,
};

export interface Loaded {
  readonly program: TS.Program;
  readonly checker: TS.TypeChecker;
}

export class Project {
  /** What is wrong with the tsconfig.json, one sentence each. */
  readonly problems: string[] = [];
  /** Whether the user's own settings tell `undefined` apart. */
  readonly strictNulls: boolean;
  /** Whether to the user's own settings an element may be missing. */
  readonly uncheckedIndices: boolean;
  private readonly options: TS.CompilerOptions;
  private readonly roots: Set<string>;
  private readonly sources = new Map<string, TS.SourceFile | undefined>();
  private readonly libraryFolders = new Set<string>();
  private readonly resolutions: TS.ModuleResolutionCache;
  private loaded: Loaded | undefined;

  constructor(
    folder: string,
    config: string | undefined,
    private readonly textOf: (file: string) => string | undefined,
    private readonly entry: string,
  ) {
    const parsed = config === undefined ? undefined : this.parse(config);
    this.strictNulls = parsed ? (parsed.options.strictNullChecks ?? parsed.options.strict ?? true) : true;
    this.uncheckedIndices = parsed?.options.noUncheckedIndexedAccess ?? false;
    this.options = { ...(parsed?.options ?? defaults()), ...FORCED };
    this.roots = new Set(parsed?.fileNames.filter(isSource) ?? []);
    this.resolutions = ts.createModuleResolutionCache(folder, (name) => name, this.options);
  }

  private parse(config: string): TS.ParsedCommandLine {
    const read: { readonly config?: unknown; readonly error?: TS.Diagnostic } = ts.readConfigFile(config, this.textOf);
    const { config: json, error } = read;
    const parsed = ts.parseJsonConfigFileContent(
      json ?? {},
      { ...ts.sys, readFile: this.textOf },
      dirname(config),
      { allowJs: true },
      config,
    );
    // An empty list of files is no mistake here: files are named as they are opened.
    const errors = [...(error ? [error] : []), ...parsed.errors].filter((e) => e.code !== 18002 && e.code !== 18003);
    this.problems.push(...errors.map((e) => `${config}: ${ts.flattenDiagnosticMessageText(e.messageText, ' ')}`));
    return error ? { ...parsed, options: { ...defaults() } } : parsed;
  }

  get files(): ReadonlySet<string> {
    return this.roots;
  }

  private readonly imports = new Map<string, Map<string, string>>();

  /** Whether a file imports JitLens, itself or through others of the user's. */
  reaches(file: string): boolean {
    let known = this.reaching.get(file);
    if (known === undefined) this.reaching.set(file, (known = this.follow(file)));
    return known;
  }

  private readonly reaching = new Map<string, boolean>();

  private follow(file: string): boolean {
    const seen = new Set([file]);
    for (const at of seen) {
      for (const [name, target] of this.imports.get(at) ?? []) {
        if (name === 'jitlens' || this.isOwn(target)) return true;
        if (!target.endsWith('.d.ts')) seen.add(target);
      }
    }
    return false;
  }

  /** Whether a file is JitLens's own: what is declared there is recognised. */
  isOwn(file: string): boolean {
    for (const folder of this.libraryFolders) if (file.startsWith(folder)) return true;
    return false;
  }

  add(file: string): void {
    if (this.roots.has(file)) return;
    this.roots.add(file);
    this.changes = undefined;
    this.loaded = undefined;
  }

  /** The files whose text changed since this was last asked; `undefined` where more is another than that. */
  takeChanges(): ReadonlySet<string> | undefined {
    const { changes } = this;
    this.changes = new Set();
    return changes;
  }

  private changes: Set<string> | undefined;

  /** The text of a file is no longer what it was. */
  changed(file: string, cameOrWent: boolean): void {
    if (!cameOrWent && !this.sources.has(file)) return;
    // A file that comes or goes changes what imports mean.
    if (cameOrWent) {
      this.previous = undefined;
      this.changes = undefined;
    }
    this.changes?.add(file);
    if (this.textOf(file) === undefined) this.roots.delete(file);
    this.sources.delete(file);
    this.imports.delete(file);
    this.loaded = undefined;
  }

  private previous: TS.Program | undefined;

  load(): Loaded {
    if (this.loaded) return this.loaded;
    const program = ts.createProgram({
      rootNames: [...this.roots],
      options: this.options,
      host: this.host(),
      oldProgram: this.previous,
    });
    this.previous = program;
    this.reaching.clear();
    return (this.loaded = { program, checker: program.getTypeChecker() });
  }

  private host(): TS.CompilerHost {
    const { options } = this;
    const libraries = dirname(ts.sys.getExecutingFilePath());
    return {
      fileExists: (file) => this.textOf(file) !== undefined,
      readFile: this.textOf,
      directoryExists: (folder) => ts.sys.directoryExists(folder),
      getDirectories: (folder) => ts.sys.getDirectories(folder),
      realpath: (path) => ts.sys.realpath?.(path) ?? path,
      getCurrentDirectory: () => ts.sys.getCurrentDirectory(),
      getDefaultLibFileName: (o) => join(libraries, ts.getDefaultLibFileName(o)),
      getDefaultLibLocation: () => libraries,
      getCanonicalFileName: (name) => name,
      useCaseSensitiveFileNames: () => true,
      getNewLine: () => '\n',
      writeFile: () => undefined,
      getSourceFile: (file, target) => this.source(file, target),
      getModuleResolutionCache: () => this.resolutions,
      resolveModuleNameLiterals: (names, from) =>
        names.map(({ text }) => {
          const found = this.resolve(text, from, options);
          const targets = this.imports.get(from) ?? new Map<string, string>();
          this.imports.set(from, targets);
          if (found.resolvedModule) targets.set(text, found.resolvedModule.resolvedFileName);
          return found;
        }),
    };
  }

  private source(file: string, target: TS.ScriptTarget | TS.CreateSourceFileOptions): TS.SourceFile | undefined {
    if (this.sources.has(file)) return this.sources.get(file);
    const text = this.textOf(file);
    const source = text === undefined ? undefined : sharedSource(file, text, target);
    this.sources.set(file, source);
    return source;
  }

  private resolve(name: string, from: string, options: TS.CompilerOptions): TS.ResolvedModuleWithFailedLookupLocations {
    const host = { fileExists: (f: string) => this.textOf(f) !== undefined, readFile: this.textOf };
    const found = ts.resolveModuleName(name, from, options, { ...ts.sys, ...host }, this.resolutions);
    const target = found.resolvedModule?.resolvedFileName;
    // What the library is made of is the library's, wherever it lies.
    if (target !== undefined && name.startsWith('.') && this.isOwn(from)) this.libraryFolders.add(dirname(target) + '/');
    if (name !== 'jitlens') return found;
    const resolved = found.resolvedModule ?? {
      resolvedFileName: this.entry,
      extension: this.entry.endsWith('.d.ts') ? ts.Extension.Dts : ts.Extension.Ts,
      isExternalLibraryImport: false,
    };
    this.libraryFolders.add(dirname(resolved.resolvedFileName) + '/');
    return { ...found, resolvedModule: resolved };
  }
}

const TYPES_ONLY = () => ts.JSDocParsingMode.ParseForTypeInfo;

/** Files that never change are parsed once, whatever projects there are. */
const shared = new Map<string, TS.SourceFile>();

function sharedSource(file: string, text: string, target: TS.ScriptTarget | TS.CreateSourceFileOptions): TS.SourceFile {
  const keep = file.endsWith('.d.ts');
  const known = keep ? shared.get(file) : undefined;
  if (known?.text === text) return known;
  // Parents are set when the file is bound, which asking for the checker does. Comments are types in JavaScript only.
  const options = { ...(typeof target === 'object' ? target : { languageVersion: target }), jsDocParsingMode: TYPES_ONLY() };
  const source = ts.createSourceFile(file, text, options, false);
  if (keep) shared.set(file, source);
  return source;
}

export function isSource(file: string): boolean {
  return /\.[cm]?[jt]s$/.test(file) && !/\.d\.[cm]?ts$/.test(file);
}

export function nearestConfig(file: string): string | undefined {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const path = join(folder, 'tsconfig.json');
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

/** Texts of files: unsaved ones first, then the disk, read once. */
export class Texts {
  private readonly unsaved = new Map<string, string>();
  private readonly read = new Map<string, string | undefined>();

  readonly of = (file: string): string | undefined => {
    const text = this.unsaved.get(file);
    if (text !== undefined) return text;
    if (!this.read.has(file)) this.read.set(file, fromDisk(file));
    return this.read.get(file);
  };

  set(file: string, text: string | undefined): void {
    if (text === undefined) this.unsaved.delete(file);
    else this.unsaved.set(file, text);
    this.read.delete(file);
  }
}

function fromDisk(file: string): string | undefined {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  } catch {
    // A folder.
    return undefined;
  }
}

/** As TypeScript writes paths. */
export function normal(file: string): string {
  return sep === '\\' ? file.replaceAll('\\', '/') : file;
}
