/**
 * @file What the runtime's tests use of vitest, in one small file: so that they can be bundled and run by plain Node on a
 * machine that has a GPU and little else. In: `describe` and `test` as the files call them. Out: `run()`, which prints what
 * failed and how many passed. Expectations are vitest's own.
 */
import * as chai from 'chai';
import { equals, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);
export const expect = chai.expect as unknown as typeof import('vitest').expect;
Object.assign(expect, { soft: chai.expect, equals });

/** Types are for the compiler; here every question about them is answered with another one. */
const anything: unknown = new Proxy(() => undefined, { get: () => anything, apply: () => anything });
export const expectTypeOf = anything as typeof import('vitest').expectTypeOf;

type Body = (...args: unknown[]) => unknown;
interface Case {
  readonly file?: string;
  /** Absent for what comes before or after the cases of a block, in its place among them. */
  readonly name?: string;
  readonly body: () => unknown;
  /** What the case's file does before and after each of its own. */
  readonly first?: readonly (() => unknown)[];
  readonly each?: readonly (() => unknown)[];
}

const cases: Case[] = [];
const path: string[] = [];
let after: (() => unknown)[] = [];
let first: (() => unknown)[] = [];
let each: (() => unknown)[] = [];

/** Rows of `each` in a title: `%s` and `%d` are its values in turn. */
function titled(title: string, row: readonly unknown[]): string {
  let next = 0;
  return title.replace(/%[sdif]/g, () => String(row[next++]));
}

/** What stands after a title is the body, and options before it or behind it that say how long it may take. */
const bodyOf = (rest: readonly unknown[]): Body => rest.find((x): x is Body => typeof x === 'function') ?? (() => undefined);

function withEach(add: (name: string, body: () => unknown) => void) {
  const one = (name: string, ...rest: unknown[]) => add(name, bodyOf(rest));
  return Object.assign(one, {
    each:
      (rows: readonly unknown[]) =>
      (title: string, ...rest: unknown[]) => {
        const body = bodyOf(rest);
        for (const row of rows) {
          const args = Array.isArray(row) ? (row as unknown[]) : [row];
          add(titled(title, args), () => body(...args));
        }
      },
  });
}

export const test = withEach((name, body) => cases.push({ file: path[0], name: [...path, name].join(' › '), body, first, each }));
export const it = test;
export const describe = withEach((name, body) => {
  const outer = after;
  after = [];
  path.push(name);
  body();
  path.pop();
  for (const hook of after) cases.push({ file: path[0], body: hook });
  after = outer;
});
export const beforeAll = (body: () => unknown): void => void cases.push({ file: path[0], body });
export const afterAll = (body: () => unknown): void => void after.push(body);
export const beforeEach = (body: () => unknown): void => void first.push(body);
export const afterEach = (body: () => unknown): void => void each.push(body);

const undone: (() => void)[] = [];
const undo = (): void => undone.splice(0).forEach((back) => back());

function replace(of: object, key: string, value: unknown): void {
  const own = Object.getOwnPropertyDescriptor(of, key);
  undone.push(() => (own ? Object.defineProperty(of, key, own) : Reflect.deleteProperty(of, key)));
  Object.defineProperty(of, key, { configurable: true, enumerable: true, writable: true, value });
}

/** Properties and settings that are others for a while. */
export const vi = {
  spyOn: (of: object, key: string) => ({
    mockReturnValue: (value: unknown) => replace(of, key, value),
    mockImplementation: (value: unknown) => replace(of, key, value),
  }),
  restoreAllMocks: undo,
  stubEnv: (name: string, value: string) => replace(process.env, name, value),
  unstubAllEnvs: undo,
  stubGlobal: (name: string, value: unknown) => replace(globalThis, name, value),
  unstubAllGlobals: undo,
};

/** Milliseconds after which a case has failed. */
const LONGEST = 60_000;

async function inTime(body: () => unknown): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${LONGEST / 1000} s`)), LONGEST);
  });
  await Promise.race([body(), late]).finally(() => clearTimeout(timer));
}

/** Runs the cases whose name contains one of `wanted`, all without any; each is named on stderr as it starts. Gives the number that failed. */
export async function run(wanted: readonly string[]): Promise<number> {
  let failed = 0;
  const named = cases.filter(({ name }) => name && (wanted.length === 0 || wanted.some((w) => name.includes(w))));
  const files = new Set(named.map((c) => c.file));
  const chosen = cases.filter((c) => (c.name ? named.includes(c) : files.has(c.file)));
  for (const { name = 'before or after', body, first: before = [], each: hooks = [] } of chosen) {
    console.error(name);
    try {
      for (const hook of before) await hook();
      await inTime(body);
      for (const hook of hooks) await hook();
    } catch (error) {
      for (const hook of hooks) await hook();
      failed++;
      console.log(`✘ ${name}\n    ${String(error).split('\n').slice(0, 12).join('\n    ')}`);
    }
  }
  console.log(`${chosen.filter(({ name }) => name).length - failed} passed, ${failed} failed`);
  return failed;
}

/** The cases of a file, under its name. */
export function file(name: string): void {
  path.splice(0, path.length, name);
  first = [];
  each = [];
}
