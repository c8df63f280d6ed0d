/** @file The overview's figures: honest about slow-downs, software devices and what is absent. */
import { describe, expect, it } from 'vitest';
import { ABSENT } from '../../webview/model/format.ts';
import { compare, compiledName, errorLines, figures, type Figure } from '../../webview/model/totals.ts';
import { profile, run } from '../fixtures/builder.ts';
import { conv2dProfile } from '../fixtures/profiles.ts';

const figure = (key: Figure['key'], from = conv2dProfile()): Figure | undefined =>
  figures(from).find((entry) => entry.key === key);

describe('eager against traced', () => {
  it('calls a slow-down slower', () => {
    const slow = compare(run({ medianMs: 1, p10Ms: 0.9, p90Ms: 1.1 }), run({ medianMs: 2, p10Ms: 1.9, p90Ms: 2.1 }));
    expect(slow).toEqual({ text: 'traced is 2.00× slower', tone: 'bad' });
    expect(figure('eager')?.details[0]).toBe('traced is 36.8× faster');
  });

  it('calls nothing faster that the spread hides', () => {
    expect(compare(run({ medianMs: 1 }), run({ medianMs: 1.02 })).tone).toBeUndefined();
  });
});

describe('time in kernels', () => {
  it('is GPU time on a GPU alone', () => {
    expect(figure('busy')?.label).toBe('GPU busy');
    const software = figure('busy', conv2dProfile('software'));
    expect(software?.label).toBe('Software kernel time');
    expect(software?.details.join()).toContain('no GPU');
    expect(JSON.stringify(figures(conv2dProfile('software')))).not.toContain('GPU busy');
  });

  it('never takes a software time for GPU time', () => {
    const mixed = profile({ runs: { eager: run({}), traced: run({ softwareKernelMs: 0.5 }) } });
    expect(figure('busy', mixed)?.value).toBe(ABSENT);
    expect(figure('busy', mixed)?.hint).toContain('no timestamps');
  });
});

it('shows a dash and the reason for what is absent', () => {
  const bare = profile({ check: { maxRelError: 0, maxAbsError: 0, referenceSkipped: 'It would have taken 40 s.' } });
  expect(figure('bytes', bare)?.details).toContain(`peak ${ABSENT}`);
  expect(errorLines(bare)[1]).toEqual({ against: 'float64 reference', value: ABSENT, hint: 'It would have taken 40 s.' });
  expect(errorLines(bare)[0]?.value).toBe('exact');
});

it('calls a scripted run scripted, and one that does not say traced', () => {
  const scripted = profile({ compiledAs: 'scripted' });
  const texts = figures(scripted).map(({ label, value, details, hint }) => [label, value, details, hint]);
  const shown = JSON.stringify([texts, errorLines(scripted), compiledName(scripted)]);
  expect(shown).toContain('Scripted');
  expect(shown).not.toMatch(/[Tt]raced/);
  expect(compiledName(profile({}))).toBe('Traced');
});

it('says when the compile has paid off', () => {
  expect(figure('compile')?.details[0]).toBe('earned back after 220 calls');
  const slower = profile({ runs: { eager: run({ medianMs: 1 }), traced: run({ medianMs: 2 }) } });
  expect(figure('compile', slower)?.details[0]).toContain('not earned back');
});
