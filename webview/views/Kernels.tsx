/**
 * @file The kernels and their WGSL. In: the joined profile and the selection. Out: a list by descending time beside the
 * code of the selected one. Selecting an op or a line shows its kernel here, too.
 */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ProfileKernel } from '../../runtime/profile/model.ts';
import { ShareBar } from '../chart/ShareBar.tsx';
import { Button } from '../components.tsx';
import { clockTime, count, gigaPerSecond, percent, plural } from '../model/format.ts';
import { totalOf } from '../model/heat.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { parseQuery, score, searchNodes } from '../model/search.ts';
import { marksOf, type Selection } from '../model/selection.ts';
import { compiledName } from '../model/totals.ts';
import { useAppState, useStore } from '../state.ts';
import { KernelDetails } from './KernelDetails.tsx';
import { VirtualList } from './VirtualList.tsx';

const ROW = 62;

interface EntryProps {
  readonly index: ProfileIndex;
  readonly kernel: ProfileKernel;
  readonly totalMs?: number;
  readonly top: number;
  readonly selected: boolean;
  readonly caret: boolean;
}

function Entry({ index, kernel, totalMs, top, selected, caret }: EntryProps): VNode {
  const store = useStore();
  const share = kernel.ms !== undefined && totalMs ? kernel.ms / totalMs : undefined;
  return (
    <div role="listitem" class="kernel-entry" style={{ top: `${top}px` }}>
      <button
        class={`kernel-button ${selected ? 'selected' : ''} ${caret ? 'caret' : ''}`}
        aria-current={selected}
        onClick={() => store.select({ kind: 'kernel', id: kernel.id }, { reveal: true })}
      >
        <span class="kernel-name">
          <b>{kernel.name}</b>
          {kernel.launches > 1 && <span class="muted">×{kernel.launches}</span>}
          <span class="muted kernel-ops">{plural(kernel.nodes.length, 'op')}</span>
        </span>
        <span class="kernel-figures">
          <b>{clockTime(kernel.ms, index.profile.device.timerResolutionNs)}</b>
          <span>{percent(share)}</span>
          <span class="muted">{gigaPerSecond(kernel.bytes, kernel.ms, 'B')}</span>
          <span class="muted">{gigaPerSecond(kernel.flops, kernel.ms, 'FLOP')}</span>
        </span>
        <ShareBar share={share} />
      </button>
    </div>
  );
}

/** The kernel to show: the selected one, else the one of what is selected, else the first. */
function shownKernel(
  index: ProfileIndex,
  list: readonly ProfileKernel[],
  selection: Selection | undefined,
  mode: ProfileKernel['mode'],
) {
  const marks = marksOf(index, selection);
  const direct = list.find((kernel) => selection?.kind === 'kernel' && kernel.id === selection.id);
  if (direct) return direct;
  const related = list.find((kernel) =>
    mode === 'traced' ? marks.kernels.has(kernel.id) : kernel.nodes.some((id) => marks.nodes.has(id)),
  );
  return related ?? list[0];
}

export function Kernels({ index }: { readonly index: ProfileIndex }): VNode {
  const store = useStore();
  const { view, caret } = useAppState();
  const { mode, query, selection } = view;
  const all = useMemo(
    () => index.profile.kernels.filter((kernel) => kernel.mode === mode).toSorted((a, b) => (b.ms ?? 0) - (a.ms ?? 0)),
    [index, mode],
  );
  const list = useMemo(() => {
    const found = searchNodes(index, query);
    const terms = parseQuery(query);
    const itself = (kernel: ProfileKernel): boolean =>
      score(terms, {
        texts: { op: '', line: '', shape: '', kernel: kernel.name },
        measures: { time: kernel.ms, bytes: kernel.bytes, flops: kernel.flops },
      }) !== undefined;
    return found ? all.filter((kernel) => itself(kernel) || kernel.nodes.some((id) => found.has(id))) : all;
  }, [index, all, query]);
  const totalMs = useMemo(() => totalOf('time', all), [all]);
  const shown = shownKernel(index, list, selection, mode);
  const caretNodes = useMemo(() => marksOf(index, caret && { kind: 'line', ...caret }), [index, caret]);
  const eager = index.profile.kernels.length - index.traced.length;
  const switchable = eager > 0;

  const keys = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const next = shown && step !== 0 ? list[list.indexOf(shown) + step] : undefined;
    if (!next) return;
    event.preventDefault();
    store.select({ kind: 'kernel', id: next.id });
  };

  return (
    <div class="kernels">
      <div class="kernel-side">
        {switchable && (
          <div class="toolbar" role="group" aria-label="Run">
            <Button
              kind={mode === 'traced' ? 'primary' : 'secondary'}
              pressed={mode === 'traced'}
              onClick={() => store.view({ mode: 'traced' })}
            >
              {compiledName(index.profile)} {count(index.traced.length)}
            </Button>
            <Button
              kind={mode === 'eager' ? 'primary' : 'secondary'}
              pressed={mode === 'eager'}
              onClick={() => store.view({ mode: 'eager' })}
            >
              Eager {count(eager)}
            </Button>
          </div>
        )}
        <VirtualList
          class="kernel-list"
          label="Kernels by time. Arrow keys move."
          count={list.length}
          rowHeight={ROW}
          shown={shown ? list.indexOf(shown) : -1}
          onKeyDown={keys}
          row={(at, top) => {
            const kernel = list[at];
            if (!kernel) return null;
            const marked = caretNodes.kernels.has(kernel.id) || kernel.nodes.some((id) => caretNodes.nodes.has(id));
            return (
              <Entry
                key={kernel.id}
                index={index}
                kernel={kernel}
                totalMs={totalMs}
                top={top}
                selected={kernel === shown}
                caret={marked}
              />
            );
          }}
        />
      </div>
      {shown ? (
        <KernelDetails key={shown.id} index={index} kernel={shown} caretNodes={caretNodes.nodes} />
      ) : (
        <p class="muted waiting">{query ? 'No kernel matches the search.' : 'This run launched no kernel.'}</p>
      )}
    </div>
  );
}
