/**
 * @file The panel's frame: heading, tabs, the shared search, the view. In: the state. Out: one view at a time, so that
 * a hidden one costs nothing.
 */
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import { SearchField } from '../components.tsx';
import { GraphView } from '../graph/GraphView.tsx';
import type { ProfileIndex } from '../model/joins.ts';
import { nextMatch } from '../model/search.ts';
import { tabs, type Tab } from '../model/viewState.ts';
import { useAppState, useStore } from '../state.ts';
import { Header } from './Header.tsx';
import { Kernels } from './Kernels.tsx';
import { OpsTable } from './OpsTable.tsx';
import { Overview } from './Overview.tsx';

const names: Readonly<Record<Tab, string>> = { overview: 'Overview', graph: 'Graph', ops: 'Ops', kernels: 'Kernels' };

const moves: Readonly<Record<string, (at: number) => number>> = {
  ArrowRight: (at) => at + 1,
  ArrowLeft: (at) => at - 1 + tabs.length,
  Home: () => 0,
  End: () => tabs.length - 1,
};

function Tabs({ active }: { readonly active: Tab }): VNode {
  const store = useStore();
  const list = useRef<HTMLDivElement>(null);
  const keys = (event: KeyboardEvent): void => {
    const tab = tabs[(moves[event.key]?.(tabs.indexOf(active)) ?? -1) % tabs.length];
    if (!tab) return;
    event.preventDefault();
    store.view({ tab });
    list.current?.querySelector<HTMLElement>(`#tab-${tab}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label="Views" ref={list} onKeyDown={keys}>
      {tabs.map((tab) => (
        <button
          key={tab}
          id={`tab-${tab}`}
          role="tab"
          class="tab"
          aria-selected={tab === active}
          aria-controls="view"
          tabIndex={tab === active ? 0 : -1}
          onClick={() => store.view({ tab })}
        >
          {names[tab]}
        </button>
      ))}
    </div>
  );
}

function Search({ index }: { readonly index: ProfileIndex }): VNode {
  const store = useStore();
  const { view } = useAppState();
  const found = nextMatch(index, view.query, view.selection, false);
  const go = (backwards: boolean): void => {
    const match = nextMatch(index, view.query, view.selection, backwards);
    if (match?.id !== undefined) store.select({ kind: 'node', id: match.id });
  };
  return (
    <div class="searching">
      {found && (
        <span class="muted" role="status">
          {found.total === 0 ? 'no match' : found.at > 0 ? `${found.at} of ${found.total}` : `${found.total} ops`}
        </span>
      )}
      <SearchField
        value={view.query}
        label="Search ops. Words match op, line, shape or kernel; also op:matmul line:31 time>1ms bytes>1MB. Enter: next match."
        placeholder="Search ops, lines, time>10us"
        onInput={(query) => store.view({ query })}
        onEnter={go}
      />
    </div>
  );
}

export function App({ workerUrl }: { readonly workerUrl: string }): VNode {
  const { index, view, refused } = useAppState();
  if (refused !== undefined) {
    return (
      <p class="waiting" role="alert">
        This profile cannot be shown: it is damaged or of another version (“{refused}”). Run again to make a new one.
      </p>
    );
  }
  if (!index) return <p class="waiting muted">Waiting for a profile…</p>;
  return (
    <div class="app">
      <Header index={index} />
      <nav class="bar">
        <Tabs active={view.tab} />
        {view.tab !== 'overview' && <Search index={index} />}
      </nav>
      <div id="view" class={`view view-${view.tab}`} role="tabpanel" aria-labelledby={`tab-${view.tab}`}>
        {view.tab === 'overview' && <Overview index={index} />}
        {view.tab === 'graph' && <GraphView index={index} workerUrl={workerUrl} />}
        {view.tab === 'ops' && <OpsTable index={index} />}
        {view.tab === 'kernels' && <Kernels index={index} />}
      </div>
    </div>
  );
}
