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

type Body = (...args: unknown[]) => unknown;
interface Case {
  readonly name: string;
  readonly body: () => unknown;
}

const cases: Case[] = [];
const path: string[] = [];
const before: (() => unknown)[] = [];

/** Rows of `each` in a title: `%s` and `%d` are its values in turn. */
function titled(title: string, row: readonly unknown[]): string {
  let next = 0;
  return title.replace(/%[sdif]/g, () => String(row[next++]));
}

function withEach(add: (name: string, body: () => unknown) => void) {
  const one = (name: string, body: () => unknown) => add(name, body);
  return Object.assign(one, {
    each: (rows: readonly unknown[]) => (title: string, body: Body) => {
      for (const row of rows) {
        const args = Array.isArray(row) ? (row as unknown[]) : [row];
        add(titled(title, args), () => body(...args));
      }
    },
  });
}

export const test = withEach((name, body) => cases.push({ name: [...path, name].join(' › '), body }));
export const it = test;
export const describe = withEach((name, body) => {
  path.push(name);
  body();
  path.pop();
});
export const beforeAll = (body: () => unknown): void => void before.push(body);
export const afterAll = (): void => undefined;

/** Runs the cases whose name contains one of `wanted`, all without any. Gives the number that failed. */
export async function run(wanted: readonly string[]): Promise<number> {
  for (const body of before) await body();
  let failed = 0;
  const chosen = cases.filter(({ name }) => wanted.length === 0 || wanted.some((w) => name.includes(w)));
  for (const { name, body } of chosen) {
    try {
      await body();
    } catch (error) {
      failed++;
      console.log(`✘ ${name}\n    ${String(error).split('\n').slice(0, 12).join('\n    ')}`);
    }
  }
  console.log(`${chosen.length - failed} passed, ${failed} failed`);
  return failed;
}

/** The cases of a file, under its name. */
export function file(name: string): void {
  path.splice(0, path.length, name);
}
