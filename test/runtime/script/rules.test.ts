/** Every rule against its own examples: what is marked is found, exactly; what is good is not; what a fix gives has no such finding. */
import { describe, expect, test } from 'vitest';
import { rules } from '../../../runtime/script/rules/table.ts';
import { typeErrors } from './types.ts';
import { applied, check, marksOf, moduleOf, summary } from './fixtures.ts';

describe.each(rules.filter((r) => r.good.length > 0).map((rule) => [rule.code, rule] as const))('%s', (code, rule) => {
  test.each(rule.bad.map((text, i) => [i + 1, moduleOf(text)] as const))('bad %i', (_, text) => {
    const { diagnostics } = check(text);
    const marks = marksOf(text);
    const wanted = marks.filter((m) => m.code === code);
    expect(wanted.length, text).toBeGreaterThan(0);
    // Hints of other rules are not what an example is about.
    const shown = diagnostics.filter((d) => d.code === code || d.severity !== 'hint');
    expect(shown.map(summary), text).toEqual(marks.map(({ message: _m, ...place }) => place));
    shown.forEach((d, i) => expect(d.message.startsWith(marks[i]?.message ?? ''), `${d.message}\n${text}`).toBe(true));
    for (const d of shown) expect(d.severity === 'error' || d.severity === 'warning' || d.severity === rule.severity).toBe(true);
    for (const d of shown) {
      for (const fix of d.fixes) {
        const after = applied(text, fix.edits);
        const left = check(after).diagnostics.filter((other) => other.code === d.code);
        expect(left.length, `${fix.title}\n${after}`).toBeLessThan(shown.filter((other) => other.code === d.code).length);
        expect(typeErrors(after), `${fix.title}\n${after}`).toEqual([]);
      }
    }
  });

  test.each(rule.good.map((text, i) => [i + 1, moduleOf(text)] as const))('good %i', (_, text) => {
    const { diagnostics } = check(text);
    expect(
      diagnostics.filter((d) => d.severity !== 'hint').map((d) => `${d.code} ${d.range.start.line}: ${d.message}`),
      text,
    ).toEqual([]);
    expect(
      diagnostics.filter((d) => d.code === code),
      text,
    ).toEqual([]);
    expect(typeErrors(text), text).toEqual([]);
  });
});

test('every rule of the table has two good and two bad examples, and every code is there once', () => {
  for (const rule of rules) {
    if (!rule.severity) continue;
    expect([rule.code, rule.bad.length >= 2, rule.good.length >= 2]).toEqual([rule.code, true, true]);
  }
  expect(new Set(rules.map((r) => r.code)).size).toBe(rules.length);
});
