/** What the editor makes of the analyser's reports, as far as it needs no VS Code. */
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bakedIn } from '../../extension/diagnostics/baked.ts';
import { Delay } from '../../extension/diagnostics/delay.ts';
import { withSeen } from '../../extension/diagnostics/seen.ts';
import { audible, levelOf, levelsIn } from '../../extension/diagnostics/severity.ts';
import { reasonsOf, summaryOf } from '../../extension/diagnostics/summary.ts';
import { takenIn, withoutTold } from '../../extension/diagnostics/taken.ts';
import { formats } from '../../runtime/cli/formats.ts';
import { plain } from '../../runtime/profile/report.ts';
import { applyFixes, together } from '../../runtime/script/fixes.ts';
import type { Diagnostic, Edit, FunctionReport } from '../../runtime/profile/diagnostic.ts';
import { at, NodeList, profile } from '../fixtures/builder.ts';

const range = (line: number, from: number, to: number) => ({
  file: '/a.ts',
  start: { line, column: from },
  end: { line, column: to },
});
const edit = (line: number, from: number, to: number, text: string): Edit => ({ range: range(line, from, to), text });

function found(code: string, line: number, ...fixes: Edit[][]): Diagnostic {
  const titled = fixes.map((edits) => ({ title: 'fix', edits }));
  return { code, severity: 'error', message: `${code} is so`, range: range(line, 1, 5), related: [], fixes: titled };
}

describe('constants from outside', () => {
  const uses: Diagnostic = { ...found('JL301', 3), message: 'uses k = 2', severity: 'hint' };

  it('stand in the line with their value, unless the settings make them louder', () => {
    expect(bakedIn(audible([uses, found('JL203', 4)], levelsIn({})))).toEqual([
      { at: { line: 3, column: 5 }, label: '= 2', message: 'uses k = 2' },
    ]);
    expect(bakedIn(audible([uses], levelsIn({ JL301: 'warning' })))).toEqual([]);
    expect(bakedIn(audible([uses], levelsIn({ JL301: 'off' })))).toEqual([]);
  });
});

describe('severities', () => {
  it('are those of the rules where the setting says nothing', () => {
    const levels = levelsIn({ JL301: 'off', jl207: 'information', JL203: 'loud', JL204: 3 });
    expect(levelOf({ code: 'JL301', severity: 'hint' }, levels)).toBe('off');
    expect(levelOf({ code: 'JL207', severity: 'warning' }, levels)).toBe('information');
    expect(levelOf({ code: 'JL203', severity: 'error' }, levels)).toBe('error');
    expect(levelOf({ code: 'JL204', severity: 'error' }, levels)).toBe('error');
  });

  it.each([undefined, null, 'off', 3, []])('are not changed by the setting %j', (setting) => {
    expect(levelOf({ code: 'JL203', severity: 'error' }, levelsIn(setting))).toBe('error');
  });
});

describe('what is to be seen', () => {
  it('is what no setting turns off, as loud as it says', () => {
    const [one, two] = [found('JL612', 1), found('JL611', 2)];
    expect(audible([one, two], levelsIn({ JL612: 'hint', JL611: 'off' }))).toEqual([[one, 'hint']]);
  });
});

describe('what a trace took for granted', () => {
  const elsewhere = { ...found('JL604', 2), range: { ...range(2, 1, 2), file: '/b.ts' } };
  const ran = profile({ sources: { '/a.ts': 'then', '/b.ts': 'too' }, diagnostics: [found('JL612', 1), elsewhere] });

  it('is shown in each file that it is about', () => {
    expect(takenIn(ran, '/a.ts', 'then')).toEqual([found('JL612', 1)]);
    expect(takenIn(ran, '/b.ts', 'too')).toEqual([elsewhere]);
  });

  it('is gone while the text is not the one that ran', () => {
    expect(takenIn(ran, '/a.ts', 'now')).toEqual([]);
    expect(takenIn(ran, '/c.ts', 'then')).toEqual([]);
  });

  it('is not known of older profiles, nor without one', () => {
    expect(takenIn(profile({ sources: { '/a.ts': 'then' } }), '/a.ts', 'then')).toEqual([]);
    expect(takenIn(undefined, '/a.ts', 'then')).toEqual([]);
  });
});

describe('a branch that the analysis and the run both speak of', () => {
  const branch: Diagnostic = { ...found('JL404', 1), severity: 'warning' };
  const condition = { message: 'the condition', range: range(1, 1, 5) };
  const arm: Diagnostic = { ...found('JL612', 2), severity: 'warning', related: [condition] };

  it('is marked by the run, which knows the arm', () => {
    expect(withoutTold([branch, found('JL203', 1)], [arm])).toEqual([found('JL203', 1)]);
  });

  it('stays an error where it is scripted, and a warning where the run says nothing of it', () => {
    expect(withoutTold([found('JL404', 1)], [arm])).toEqual([found('JL404', 1)]);
    expect(withoutTold([branch], [])).toEqual([branch]);
    expect(withoutTold([{ ...branch, range: range(2, 1, 5) }], [arm])).toHaveLength(1);
  });
});

describe('a value of type any that a run has seen', () => {
  const text = 'const f = (x: Tensor, k: any) => x.mul(k);\n';
  const fixes = ['Annotate as Tensor', 'Annotate as number'].map((title) => ({ title, edits: [] }));
  const any: Diagnostic = { ...found('JL101', 1), range: range(1, 40, 41), fixes };
  /** Each entry is a run of the call, with so many tensors. */
  const ran = (...calls: number[]) => {
    const list = new NodeList();
    const x = list.add('input', at(9, 1, '/a.ts'), [], { shape: [2] });
    for (const tensors of calls) list.add('mul', at(1, 36, '/a.ts'), Array<string>(tensors).fill(x), { shape: [2] });
    return profile({ sources: { '/a.ts': text }, nodes: list.nodes });
  };
  const titles = (...given: Parameters<typeof withSeen>) => withSeen(...given).fixes.map(({ title }) => title);
  const asIs = ['Annotate as Tensor', 'Annotate as number'];

  it('is offered the type that it had, first', () => {
    expect(titles(any, ran(1), text)).toEqual(['Annotate as number, as seen in the last run', 'Annotate as Tensor']);
    expect(titles(any, ran(2, 2), text)).toEqual(['Annotate as Tensor, as seen in the last run', 'Annotate as number']);
  });

  it('is offered what it was offered where no run tells', () => {
    expect(titles(any, undefined, text)).toEqual(asIs);
    expect(titles(any, ran(1), `${text} `)).toEqual(asIs);
    expect(titles(any, ran(), text)).toEqual(asIs);
    expect(titles(any, ran(1, 2), text)).toEqual(asIs);
    expect(titles({ ...any, range: range(1, 34, 35) }, ran(1), text)).toEqual(asIs);
  });
});

describe('fixing all', () => {
  const fixAll = (diagnostics: Diagnostic[]) => together(diagnostics).edits;

  it('takes the first fix of each', () => {
    const [one, two, other] = [edit(1, 1, 3, 'a'), edit(2, 1, 3, 'b'), edit(1, 1, 3, 'c')];
    expect(fixAll([found('JL203', 1, [one], [other]), found('JL209', 2, [two]), found('JL216', 3)])).toEqual([one, two]);
  });

  it('imports a name once', () => {
    const name = edit(1, 9, 9, ', range');
    const [one, two] = [edit(4, 1, 3, 'a'), edit(5, 1, 3, 'b')];
    expect(fixAll([found('JL203', 4, [one, name]), found('JL203', 5, [two, name])])).toEqual([one, name, two]);
  });

  it('leaves out the whole of a fix that meets another', () => {
    const [outer, inner, apart] = [edit(1, 1, 9, 'a'), edit(1, 3, 5, 'b'), edit(7, 1, 1, 'c')];
    expect(fixAll([found('JL104', 1, [outer]), found('JL203', 1, [apart, inner])])).toEqual([outer]);
    expect(fixAll([found('JL104', 1, [edit(1, 4, 4, 'x')]), found('JL203', 1, [edit(1, 4, 4, 'y')])])).toHaveLength(1);
  });

  it('leaves hints alone, and counts fixes, not edits', () => {
    const hint: Diagnostic = { ...found('JL210', 1, [edit(1, 1, 2, 'x')]), severity: 'hint' };
    const error = found('JL203', 2, [edit(2, 1, 2, 'y'), edit(2, 4, 4, 'z')]);
    expect(applyFixes('abcd\nabcd\n', [hint, error])).toEqual({ text: 'abcd\nybczd\n', count: 1 });
  });
});

describe('the status bar', () => {
  const fn = (name: string, ...obstacles: Diagnostic[]): FunctionReport => ({
    name,
    range: range(1, 1, 2),
    scripted: true,
    obstacles,
  });
  const report = (...functions: FunctionReport[]) => ({ file: '/a.ts', diagnostics: [], functions });

  it('counts what can be scripted, and says why the rest cannot', () => {
    const summary = summaryOf(report(fn('f'), fn('A.forward', found('JL203', 3), found('JL209', 4)), fn('g', found('JL306', 9))));
    expect(summary?.text).toBe('1/3 scriptable');
    expect(summary && reasonsOf(summary)).toEqual([
      'A.forward: JL203 is so (JL203, line 3, and 1 more)',
      'g: JL306 is so (JL306, line 9)',
    ]);
    expect(summaryOf(report(fn('f')))).toEqual({ text: '1/1 scriptable', stuck: [] });
  });

  it('says nothing about a file without tensor functions, or without a report', () => {
    expect(summaryOf(report())).toBeUndefined();
    expect(summaryOf(undefined)).toBeUndefined();
  });
});

describe('the problem matcher', () => {
  it('finds what `jitlens check` prints', async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
      contributes: { problemMatchers: { pattern: { regexp: string } }[] };
    };
    const pattern = new RegExp(manifest.contributes.problemMatchers[0]?.pattern.regexp ?? '');
    const hint: Diagnostic = { ...found('JL203b', 2), severity: 'hint' };
    const printed = formats.text([{ file: '/a.ts', diagnostics: [found('JL203', 3), hint], functions: [] }], plain);
    const matches = printed.split('\n').flatMap((line) => {
      const match = pattern.exec(line);
      return match ? [match.slice(1)] : [];
    });
    expect(matches).toEqual([
      ['/a.ts', '3', '1', 'error', 'JL203', 'JL203 is so'],
      ['/a.ts', '2', '1', 'hint', 'JL203b', 'JL203b is so'],
    ]);
  });
});

describe('a delay', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('does the last of each, once, when nothing has happened for a while', () => {
    const done: string[] = [];
    const delay = new Delay<string>((key) => done.push(key));
    delay.later('a', 100);
    delay.later('b', 150);
    vi.advanceTimersByTime(90);
    delay.later('a', 100);
    vi.advanceTimersByTime(70);
    expect(done).toEqual(['b']);
    vi.advanceTimersByTime(1000);
    expect(done).toEqual(['b', 'a']);
  });

  it('is over when it is disposed', () => {
    const done: string[] = [];
    const delay = new Delay<string>((key) => done.push(key));
    delay.later('a', 100);
    delay.dispose();
    vi.advanceTimersByTime(1000);
    expect(done).toEqual([]);
  });
});
