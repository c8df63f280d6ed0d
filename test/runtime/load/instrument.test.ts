/** The loader's insertions: every function is found with its text and names, and runs as it would have without them. */
import { transform } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { instrument } from '../../../runtime/load/instrument.ts';
import { sourceOf, type Source } from '../../../runtime/script/sources.ts';

let count = 0;

const file = '/users/file.ts';

function told(text: string): string {
  const code = instrument(text, file)?.code;
  if (code === undefined) throw new Error('nothing was told');
  return code;
}

/** Runs a module; what it passes to `out` comes back, and then what it exports. */
async function run(text: string, options: object = {}): Promise<unknown[]> {
  const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20', ...options });
  const results: unknown[] = [];
  const key = `test.instrument.${++count}`;
  Object.assign(globalThis, { [key]: (...values: unknown[]) => void results.push(...values) });
  const module = `const out = globalThis[${JSON.stringify(key)}]; ${code.replace(/^#!.*/, '')}`;
  const exported = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as Record<string, unknown>;
  return [...results, ...Object.values(exported)];
}

function source(code: unknown): Source {
  const found = sourceOf(code as object);
  if (!found) throw new Error(`${String(code)} has no source`);
  return found;
}

function textOf(code: unknown): string {
  const { text, start, end } = source(code);
  return text.slice(start, end);
}

describe('a function is found by what it is', () => {
  test.each([
    ['a declaration', 'function f(x: number): number { return x }\nout(f)', 'function f(x: number): number { return x }'],
    ['before its place is reached', 'out(f)\nfunction f() {}', 'function f() {}'],
    ['asynchronous', 'async function f() {}; out(f)', 'async function f() {}'],
    ['a generator', 'function* f() {}; out(f)', 'function* f() {}'],
    [
      'with overloads',
      'function f(x: 1): 1;\nfunction f(x: unknown) { return x }\nout(f)',
      'function f(x: unknown) { return x }',
    ],
    ['exported', 'export function f() {}', 'export function f() {}'],
    ['the default', 'export default function () {}', 'export default function () {}'],
    ['the default generator', 'export default async function* () {}', 'export default async function* () {}'],
    ['the default arrow', 'export default () => 1', '() => 1'],
    ['the default class', 'export default class {}', 'export default class {}'],
    ['in a block', '{ out(f); function f() {} }', 'function f() {}'],
    ['in a case', 'switch (1 as number) { case 1: out(f); function f() {} }', 'function f() {}'],
    ['behind a directive', "function g() { 'use strict'\n function f() {}\n return f }\nout(g())", 'function f() {}'],
    ['behind a first line for the shell', '#!/usr/bin/env node\nfunction f() {}\nout(f)', 'function f() {}'],
    ['an arrow', 'const f = <T>(x: T) => x; out(f)', '<T>(x: T) => x'],
    ['in parentheses', 'const f = ((x) => x) as (x: number) => number; out(f)', '(x) => x'],
    ['an expression', 'const f = function (x: number) { return x }; out(f)', 'function (x: number) { return x }'],
    ['with a name of its own', 'const f = function g() {}; out(f)', 'function g() {}'],
    ['an argument', 'out(async x => x)', 'async x => x'],
    ['returned', 'const f = () => () => 1; out(f())', '() => 1'],
    ['in a list', 'out([() => 1][0])', '() => 1'],
    ['a choice', 'const f = 1 ? () => 1 : undefined; out(f)', '() => 1'],
    ['a property', "out({ 'two words': () => 1 }['two words'])", '() => 1'],
    ['a method of an object', 'out({ f() { return 1 } }.f)', 'f() { return 1 }'],
    ['an assignment', 'let f; f ??= () => 1; out(f)', '() => 1'],
    ['an assignment to a property', 'const o = {}; o.f = () => 1; out(o.f)', '() => 1'],
    ['a default', 'function g(f = () => 1) { return f }; out(g())', '() => 1'],
    ['a default in a pattern', 'const { f = () => 1 } = {} as { f?: () => number }; out(f)', '() => 1'],
    ['a default in an assigned pattern', 'let f; ({ f = () => 1 } = {}); out(f)', '() => 1'],
    ['a field', 'class A { f = () => this }; out(new A().f)', '() => this'],
    ['a private field', 'class A { #f = () => 1; get() { return this.#f } }; out(new A().get())', '() => 1'],
    ['a static field', 'class A { static f = () => 1 }; out(A.f)', '() => 1'],
    ['a class', 'class A<T> { x?: T; f() {} }; out(A)', 'class A<T> { x?: T; f() {} }'],
    ['a class in an expression', 'const A = class { f() {} }; out(A)', 'class { f() {} }'],
    ['an abstract class', 'abstract class A { abstract f(): void }; out(A)', 'abstract class A { abstract f(): void }'],
    ['in a namespace', 'namespace N { export function f() {} }; out(N.f)', 'export function f() {}'],
  ])('%s', async (_, module, text) => {
    const [code] = await run(told(module));
    const { text: whole, start, end, file: where } = source(code);
    expect([where, whole, whole.slice(start, end)]).toEqual([file, module, text]);
    const [asWritten] = await run(module);
    // esbuild calls a default export after the file.
    const nameOf = (it: unknown) => (it as { name: string }).name.replace('stdin_default', 'default');
    expect(nameOf(code)).toBe(nameOf(asWritten));
  });

  test('and not when it is called where it stands', () => {
    expect(instrument('(() => 1)(); (function () {})()', file)).toBeUndefined();
  });

  test('and not by a name that another property takes', async () => {
    const methods = 'const other = { f() {} }; const o = { f() { return 1 }, ...other }; out(o.f, { f() {}, f: 3 }.f)';
    const [spread, replaced] = await run(told(methods));
    expect(textOf(spread)).toBe('f() {}');
    expect(replaced).toBe(3);
  });
});

describe('names', () => {
  test.each([
    ['of the module', 'const k = 2, l = 3; let m; out((x) => x + k + m)', ['k', 'm']],
    [
      'of functions around it',
      'function g(a, { b, c: [d] }) { const e = 1; return () => a + b + d + e }; out(g(1, { c: [] }))',
      ['a', 'b', 'd', 'e'],
    ],
    ['of a loop and a catch around it', 'for (const i of [1]) try { throw 1 } catch (e) { out(() => i + e) }', ['e', 'i']],
    ['that a var declares in a block', 'function g() { if (1) { var v = 1 } return () => v }; out(g())', ['v']],
    ['of itself and others', 'class A {}; function f(n) { return n ? f(n - 1) : new A() }; out(f)', ['A', 'f']],
    [
      'of a class, in all of it',
      'const k = 1; class B {}; class A extends B { x = k; f() { return A } }; out(A)',
      ['A', 'B', 'k'],
    ],
    ['of a class that only it knows', 'out(class A { f() { return A } })', ['A']],
    ['none that it declares', 'const x = 1; out((x) => { const y = x; function z() { return y } return z })', []],
    [
      'none of properties, labels and keys',
      'const a = 1, b = 1, c = 1; out((o) => { a: for (;;) { o.b; ({ c: 1 }); break a } })',
      [],
    ],
    ['in short for a property', 'const a = 1; out(() => ({ a }))', ['a']],
    ['none of the language', 'out(() => Math.max(undefined, NaN, arguments))', []],
    ['of an enum and a namespace', 'enum E { A } namespace N { export const x = 1 } out(() => E.A + N.x)', ['E', 'N']],
    ['none that are only types', 'interface I {} type T = I; class C {} out((x: I, y = {} as T, z?: typeof C) => x as C)', []],
    ['of a value in a type argument’s place', 'const f = <T>(x: T) => x; out(() => f<number>)', ['f']],
  ])('%s', async (_, module, names) => {
    const [code] = await run(told(module));
    expect(Object.keys(source(code).names).sort()).toEqual(names);
  });

  test('give what they are bound to now, or throw as the code would', async () => {
    const [f, set] = await run(told('let k = 1; out(() => k + later, () => { k = 2 }); let later = 5'));
    const { names } = source(f);
    expect(names).toEqual({ k: 1, later: 5 });
    (set as () => void)();
    expect(names['k']).toBe(2);
    const [early] = await run(
      told(
        'function f() { return k }; let caught; out(f); try { out(look(f)) } catch (e) { out(e) } const k = 1; function look(f) { return globalThis[Symbol.for("jitlens.sources")].get(f).names.k }',
      ),
    ).then((all) => all.slice(1));
    expect(early).toBeInstanceOf(ReferenceError);
  });

  test('of imports, but of none that exists only as a type', () => {
    const imports = "import d, { v, type T, U } from 'a'; import * as n from 'b'; import type { W } from 'c';";
    const code = told(`${imports} export const f = (x: T, y: U, z: W) => d(v, n, x as W);`);
    expect(/\(\) => \(\{ (.*?) \}\), /.exec(code)?.[1]).toBe(
      ['d', 'v', 'n'].map((name) => `get ${name}() { return ${name} }`).join(', '),
    );
  });
});

describe('what runs is what was written', () => {
  test.each([
    [
      'this, super and private names',
      'class B { f() { return 1 } } class A extends B { #x = 2; g = () => super.f() + this.#x; h() { return [1].map((v) => super.f() + this.#x + v) } } const a = new A(); out(a.g(), ...a.h())',
      [3, 4],
    ],
    [
      'arguments and new.target',
      'function F() { out((() => arguments.length)(), [0].map(() => arguments[0])[0], [0].map(() => new.target === F)[0]) } new F(7)',
      [1, 7, true],
    ],
    [
      'await and yield',
      'async function f(g) { return await g(1) } function* h() { out(yield (x) => x + 1) } const it = h(); const fn = it.next().value; it.next(3); out(fn(1), await f(async (x) => x))',
      [3, 2, 1],
    ],
    [
      'a method that uses super',
      'const base = { f() { return 1 } }; const o = { __proto__: base, f() { return super.f() + 1 } }; out(o.f())',
      [2],
    ],
    ['a line that could be continued', 'const a = 1\nconst f = () => a\nout(f())', [1]],
    [
      'decorators',
      'function twice(f, { kind }) { out(kind); return function (x) { return 2 * f.call(this, x) } } function seen(c, { name }) { out(name) } @seen class A { k = 3; @twice f(x) { return x * this.k } } out(new A().f(1))',
      ['method', 'A', 6],
    ],
    [
      'names of its own',
      'const __source = 1, __object = 2; out(__source, __object, { f() { return 3 } }.f(), (() => 4)())',
      [1, 2, 3, 4],
    ],
  ])('%s', async (_, module, results) => {
    expect(await run(module)).toEqual(results);
    expect(await run(told(module))).toEqual(results);
  });

  test('decorators of the older kind', async () => {
    const module =
      'function m(t: object, key: string) { out(key) } function c(k: unknown) { out("class") } @c class A { @m f() {} } out(A)';
    const tsconfigRaw = { compilerOptions: { experimentalDecorators: true } };
    const [key, kind, code] = await run(told(module), { tsconfigRaw });
    expect([key, kind, textOf(code)]).toEqual(['f', 'class', '@c class A { @m f() {} }']);
  });

  test('on the lines on which it was written', () => {
    const text = '#!/usr/bin/env node\n"use strict"\nimport a from "b"\n\nclass A {\n  f() {\n    return (x) => x\n  }\n}\n';
    const lines = told(text).split('\n');
    expect(lines).toHaveLength(text.split('\n').length);
    text
      .split('\n')
      .forEach((line, i) => expect(lines[i]?.replaceAll(' ', '')).toContain(line.split('(x)')[0]?.replaceAll(' ', '')));
    expect(lines[1]).toMatch(/^"use strict";/);
  });

  test('a file that is not TypeScript is left to whoever says so', () => {
    expect(instrument('const f = () => {', file)).toBeUndefined();
    expect(instrument('const x: number = 1;', file)).toBeUndefined();
  });
});
