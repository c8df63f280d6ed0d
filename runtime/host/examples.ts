/** @file Finds the example to profile among a module's exports. In: the exports and a name. Out: the example. */
import { JitLensError } from '../errors.ts';
import { isExample, type Example } from '../jit/example.ts';

export function findExample(exports: Record<string, unknown>, file: string, wanted?: string): { name: string; example: Example } {
  const top = { file, line: 1, column: 1 };
  const names = Object.keys(exports).filter((name) => isExample(exports[name]));
  if (wanted !== undefined) {
    const value = exports[wanted];
    if (isExample(value)) return { name: wanted, example: value };
    const what = wanted in exports ? `the export ‘${wanted}’ is not a jit.example` : `there is no export ‘${wanted}’`;
    throw new JitLensError('JLR-EXAMPLE', what, hint(names), top);
  }
  const [name, ...more] = names;
  const example = name === undefined ? undefined : exports[name];
  if (name === undefined || !isExample(example))
    throw new JitLensError('JLR-EXAMPLE', 'the file exports no jit.example', hint(names), top);
  if (more.length > 0) throw new JitLensError('JLR-EXAMPLE', `the file exports ${names.length} examples`, hint(names), top);
  return { name, example };
}

function hint(names: readonly string[]): string {
  if (names.length > 0) return `Choose one with --example: ${names.join(', ')}.`;
  return 'Add one: export const example = jit.example(() => new MyModule(), () => [rand([1, 3, 64, 64])]);';
}
