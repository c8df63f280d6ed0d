/** @file The shared state: one selection, what is posted, what is remembered and restored. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromPanel } from '../../webview/messages.ts';
import { initialView, parseViewState } from '../../webview/model/viewState.ts';
import { createStore } from '../../webview/state.ts';
import { conv2dProfile, lstmProfile } from '../fixtures/profiles.ts';

function open(stored?: unknown) {
  const posted: FromPanel[] = [];
  const kept: unknown[] = [];
  const store = createStore({ post: (message) => posted.push(message), load: () => stored, store: (state) => kept.push(state) });
  return { store, posted, kept };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('selection', () => {
  it('reveals only when asked to', () => {
    const { store, posted } = open();
    store.receive({ type: 'profile', profile: conv2dProfile() });
    store.select({ kind: 'node', id: '%2' });
    expect(posted).toEqual([]);
    store.select({ kind: 'node', id: '%2' }, { reveal: true, tab: 'kernels' });
    expect(posted).toEqual([{ type: 'reveal', span: expect.objectContaining({ line: 17 }) as unknown }]);
    expect(store.get().view.tab).toBe('kernels');
  });

  it('survives another run where it still names something', () => {
    const { store } = open();
    store.receive({ type: 'profile', profile: conv2dProfile() });
    store.select({ kind: 'kernel', id: 'k0' });
    store.receive({ type: 'profile', profile: conv2dProfile() });
    expect(store.get().view.selection).toEqual({ kind: 'kernel', id: 'k0' });
    store.select({ kind: 'node', id: '%300' });
    store.receive({ type: 'profile', profile: lstmProfile() });
    expect(store.get().view.selection).toBeUndefined();
  });

  it('is not moved by the caret', () => {
    const { store } = open();
    store.select({ kind: 'node', id: '%2' });
    store.receive({ type: 'caret', file: 'a.ts', line: 4 });
    expect(store.get()).toMatchObject({ caret: { line: 4 }, view: { selection: { id: '%2' } } });
    store.receive({ type: 'caret', file: 'a.ts' });
    expect(store.get().caret).toBeUndefined();
  });
});

describe('what is remembered', () => {
  it('is stored once it settles, without a drawing for zooms', () => {
    const { store, kept } = open();
    const drawn = vi.fn();
    store.subscribe(drawn);
    store.remember({ zoom: { x: 1, y: 2, k: 3 } });
    store.remember({ zoom: { x: 4, y: 5, k: 6 } });
    expect(drawn).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(kept).toEqual([{ ...initialView, zoom: { x: 4, y: 5, k: 6 } }]);
  });

  it('comes back', () => {
    const stored: unknown = JSON.parse(
      JSON.stringify({ ...initialView, tab: 'ops', direction: 'LR', sort: { column: 'bytes', descending: true } }),
    );
    expect(open(stored).store.get().view).toEqual({
      ...initialView,
      tab: 'ops',
      direction: 'LR',
      sort: { column: 'bytes', descending: true },
    });
  });

  it.each([[undefined], [null], ['x'], [[]], [{ tab: 'flames', zoom: { x: 'a' }, selection: { kind: 'node' }, sort: 7 }]])(
    'is as at first where %j was stored',
    (stored) => expect(parseViewState(stored)).toEqual(initialView),
  );
});
