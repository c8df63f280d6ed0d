/** The declarations that users get say what tsc says of the sources: every public name, and each of its members, has the same type. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ENTRIES = ['index', 'load/esbuild', 'load/vite'];

/** All that can be seen of a module: names with their types, members below. */
function surface(program: ts.Program, file: string): Map<string, string> {
  const checker = program.getTypeChecker();
  const seen = new Map<string, string>();
  // Literals of a union stand in the order in which they were met.
  const sorted = (all: string) => all.replace(/(?:"[^"]*" \| )+"[^"]*"/g, (union) => union.split(' | ').sort().join(' | '));
  const text = (type: ts.Type) => sorted(checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation));
  const members = (name: string, type: ts.Type) => {
    [...type.getCallSignatures(), ...type.getConstructSignatures()].forEach((signature, i) => {
      seen.set(`${name}(${i})`, checker.signatureToString(signature, undefined, ts.TypeFormatFlags.NoTruncation));
    });
    for (const property of checker.getPropertiesOfType(type)) {
      const declaration = property.declarations?.[0];
      const flags = declaration ? ts.getCombinedModifierFlags(declaration) : 0;
      if ((flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0) continue;
      const optional = (property.flags & ts.SymbolFlags.Optional) !== 0 ? '?' : '';
      seen.set(`${name}.${property.name.replace(/@\d+$/, '')}${optional}`, text(checker.getTypeOfSymbol(property)));
    }
  };
  const visit = (name: string, given: ts.Symbol) => {
    const symbol = (given.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(given) : given;
    if ((symbol.flags & ts.SymbolFlags.Module) !== 0 && (symbol.flags & ts.SymbolFlags.Function) === 0) {
      for (const inner of checker.getExportsOfModule(symbol)) visit(`${name}.${inner.name}`, inner);
      return;
    }
    if ((symbol.flags & ts.SymbolFlags.Type) !== 0) {
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      seen.set(`${name}:`, text(type));
      // Of other kinds of types the members are JavaScript's own.
      if ((type.flags & ts.TypeFlags.Object) !== 0) members(`${name}#`, type);
    }
    if ((symbol.flags & ts.SymbolFlags.Value) !== 0) members(name, checker.getTypeOfSymbol(symbol));
  };
  const source = program.getSourceFile(file);
  const module = source && checker.getSymbolAtLocation(source);
  if (module) visit('', module);
  return seen;
}

test('declarations and sources agree', { timeout: 120_000 }, () => {
  // Does nothing where they are up to date.
  expect(spawnSync(process.execPath, [`${root}scripts/types.mjs`], { stdio: ['ignore', 2, 2] }).status).toBe(0);
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as { readonly config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const fileOf = (folder: string, name: string) => `${root}dist/${folder}/runtime/${name}.d.ts`;
  for (const name of ENTRIES) {
    // A program each: types that are equal in both would be printed by the names of one.
    const [wanted, is] = ['declarations', 'types'].map((folder) => {
      const file = fileOf(folder, name);
      return surface(ts.createProgram([file], { ...options, skipLibCheck: true }), file);
    });
    expect(wanted?.size).toBeGreaterThan(0);
    expect(Object.fromEntries(is ?? [])).toEqual(Object.fromEntries(wanted ?? []));
  }
  // The compiler's declarations are half a megabyte that a user's program would read for nothing.
  const alone = ts.createProgram([fileOf('types', 'index')], { ...options, types: [], skipLibCheck: true });
  expect(alone.getSourceFiles().filter((file) => file.fileName.endsWith('/typescript.d.ts'))).toEqual([]);
});
