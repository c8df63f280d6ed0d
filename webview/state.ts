/**
 * @file The state that all views share. In: messages from the extension and what the user does. Out: one immutable
 * value and a notice of each change. View state is stored a moment after it settles; the profile never is, for it
 * lives in the extension.
 */
import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import type { Span } from '../runtime/profile/model.ts';
import type { FromPanel, ToPanel } from './messages.ts';
import { indexProfile, type ProfileIndex } from './model/joins.ts';
import { exists, placeOf, type Selection } from './model/selection.ts';
import { parseViewState, type Tab, type ViewState } from './model/viewState.ts';

export interface AppState {
  readonly index?: ProfileIndex;
  readonly stale: boolean;
  /** The field for which a profile that arrived was refused. */
  readonly refused?: string;
  /** The line of the caret, where it stands in a profiled file. */
  readonly caret?: { readonly file: string; readonly line: number };
  readonly view: ViewState;
}

export interface Store {
  get(): AppState;
  subscribe(listener: () => void): () => void;
  receive(message: ToPanel): void;
  refuse(field: string): void;
  /** Changes the view and draws it again. */
  view(change: Partial<ViewState>): void;
  /** Remembers without drawing again: for what changes with every frame. */
  remember(change: Partial<ViewState>): void;
  select(selection: Selection | undefined, options?: { readonly reveal?: boolean; readonly tab?: Tab }): void;
  reveal(span: Span): void;
  post(message: FromPanel): void;
}

interface Host {
  post(message: FromPanel): void;
  load(): unknown;
  store(state: unknown): void;
}

const STORE_AFTER_MS = 150;

export function createStore(host: Host): Store {
  let state: AppState = { stale: false, view: parseViewState(host.load()) };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listeners = new Set<() => void>();
  const set = (change: Partial<AppState>): void => {
    state = { ...state, ...change };
    for (const listener of listeners) listener();
  };
  const storeSoon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => host.store(state.view), STORE_AFTER_MS);
  };
  const view = (change: Partial<ViewState>): void => {
    set({ view: { ...state.view, ...change } });
    storeSoon();
  };
  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    receive(message) {
      if (message.type === 'stale') {
        set({ stale: message.stale });
        return;
      }
      if (message.type === 'caret') {
        set({ caret: message.line === undefined ? undefined : { file: message.file, line: message.line } });
        return;
      }
      const index = indexProfile(message.profile);
      const { selection } = state.view;
      const kept = selection && exists(index, selection) ? selection : undefined;
      set({ index, refused: undefined, view: { ...state.view, selection: kept } });
    },
    refuse: (field) => set({ refused: field }),
    view,
    remember(change) {
      state = { ...state, view: { ...state.view, ...change } };
      storeSoon();
    },
    select(selection, { reveal = false, tab } = {}) {
      view(tab ? { selection, tab } : { selection });
      const span = reveal && selection && state.index ? placeOf(state.index, selection) : undefined;
      if (span) host.post({ type: 'reveal', span });
    },
    reveal: (span) => host.post({ type: 'reveal', span: { file: span.file, line: span.line, column: span.column } }),
    post: (message) => host.post(message),
  };
}

const StoreContext = createContext<Store | undefined>(undefined);
export const StoreProvider = StoreContext.Provider;

export function useStore(): Store {
  const store = useContext(StoreContext);
  if (!store) throw new Error('A view stands outside of the store.');
  return store;
}

export function useAppState(): AppState {
  const store = useStore();
  const [state, setState] = useState(store.get());
  useEffect(() => {
    // The store may have changed between the first drawing and now.
    setState(store.get());
    return store.subscribe(() => setState(store.get()));
  }, [store]);
  return state;
}
