/** @file What does not parse is dropped, on both ends. */
import { describe, expect, it } from 'vitest';
import { damagedField } from '../../webview/model/profileCheck.ts';
import { parseFromPanel, parseToPanel } from '../../webview/messages.ts';
import { conv2dProfile, largeProfile, lstmProfile } from '../fixtures/profiles.ts';

describe('to the panel', () => {
  it('takes every profile, as it comes back from JSON', () => {
    for (const profile of [conv2dProfile(), conv2dProfile('software'), lstmProfile(), largeProfile(200)]) {
      const message = { type: 'profile', profile: JSON.parse(JSON.stringify(profile)) as unknown };
      expect(parseToPanel(message)).toEqual({ type: 'profile', profile });
    }
  });

  it.each([
    ['another version', { version: 2 }],
    ['another format', { format: 'tlparse' }],
    ['a node without a span', { nodes: [{ id: '%0' }] }],
    ['a time that is no number', { runs: { eager: {}, traced: {} } }],
    ['sources that are no text', { sources: { 'a.ts': 1 } }],
    ['a device of no known kind', { device: { name: 'x', kind: 'tpu', features: [], toggles: [] } }],
  ])('drops %s', (_, change) => {
    expect(parseToPanel({ type: 'profile', profile: { ...conv2dProfile(), ...change } })).toBeUndefined();
  });

  it('names the damaged field', () => {
    expect(damagedField({ ...conv2dProfile(), check: { maxRelError: null, maxAbsError: 0 } })).toBe('check');
    expect(damagedField(7)).toBe('the document');
    expect(damagedField(conv2dProfile())).toBeUndefined();
  });

  it('takes carets with and without a line', () => {
    expect(parseToPanel({ type: 'caret', file: 'a.ts', line: 3 })).toEqual({ type: 'caret', file: 'a.ts', line: 3 });
    expect(parseToPanel({ type: 'caret', file: 'a.ts' })).toEqual({ type: 'caret', file: 'a.ts', line: undefined });
    expect(parseToPanel({ type: 'caret', line: 3 })).toBeUndefined();
    expect(parseToPanel({ type: 'stale', stale: 'yes' })).toBeUndefined();
  });

  it.each([[undefined], [null], ['profile'], [[]], [{}]])('drops %j', (value) => expect(parseToPanel(value)).toBeUndefined());
});

describe('from the panel', () => {
  it('rebuilds messages from their known fields', () => {
    const span = { file: 'a.ts', line: 1, column: 2 };
    expect(parseFromPanel({ type: 'reveal', span: { ...span, more: 1 }, extra: true })).toEqual({ type: 'reveal', span });
    expect(parseFromPanel({ type: 'save', text: 'x' })).toEqual({ type: 'save' });
    expect(parseFromPanel({ type: 'copy', text: 'x' })).toEqual({ type: 'copy', text: 'x' });
  });

  it.each([
    [{ type: 'reveal', span: { file: 'a.ts', line: '1', column: 2 } }],
    [{ type: 'reveal' }],
    [{ type: 'openWgsl' }],
    [{ type: 'copy', text: 7 }],
    [{ type: 'eval', text: 'x' }],
    [7],
  ])('drops %j', (value) => expect(parseFromPanel(value)).toBeUndefined());
});
