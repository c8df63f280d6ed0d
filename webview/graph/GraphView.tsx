/**
 * @file The graph view. In: the joined profile, the shared selection, the caret, the search. Out: canvas, controls, the
 * selection's details; choosing a box selects its ops and shows their line.
 */
import type { VNode } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { buildGraph, describe, initiallyExpanded, type Graph } from '../model/graph.ts';
import { kernelItem } from '../model/graphItems.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { searchNodes } from '../model/search.ts';
import { marksOf, type Marks, type Selection } from '../model/selection.ts';
import { useAppState, useStore } from '../state.ts';
import { Inspector } from '../views/Inspector.tsx';
import type { SceneMarks } from './draw.ts';
import { GraphCanvas } from './GraphCanvas.tsx';
import { entryId, GraphList } from './GraphList.tsx';
import { GraphToolbar } from './GraphToolbar.tsx';
import { firstBox, move, type Arrow } from './navigate.ts';
import type { SceneBox } from './scene.ts';
import { useLayout } from './useLayout.ts';
import type { Viewport } from './viewport.ts';

function isArrow(key: string): key is Arrow {
  return key === 'ArrowUp' || key === 'ArrowDown' || key === 'ArrowLeft' || key === 'ArrowRight';
}

/** Boxes that stand for the marked ops: an op's own, or the closed kernel that it is in. */
function drawn(index: ProfileIndex, graph: Graph, nodes: Iterable<string>): Set<string> {
  const ids = new Set<string>();
  for (const id of nodes) {
    const home = index.home.get(id);
    const item = graph.itemOf.get(id) ?? (home === undefined ? undefined : kernelItem(home));
    if (item !== undefined) ids.add(item);
  }
  return ids;
}

function selectedItems(index: ProfileIndex, graph: Graph, selection: Selection | undefined, marks: Marks): Set<string> {
  return selection?.kind === 'kernel' ? new Set([kernelItem(selection.id)]) : drawn(index, graph, marks.nodes);
}

export function selectionOf(box: SceneBox): Selection | undefined {
  const { item } = box;
  if (item.kind === 'kernel' && item.kernel !== undefined) return { kind: 'kernel', id: item.kernel };
  const [id, ...rest] = item.nodes;
  return id === undefined ? undefined : { kind: 'node', id, twins: rest.length > 0 ? item.nodes : undefined };
}

export function GraphView({ index, workerUrl }: { readonly index: ProfileIndex; readonly workerUrl: string }): VNode {
  const store = useStore();
  const { view, caret } = useAppState();
  const { fold, quiet, metric, direction, selection, query } = view;
  const expanded = useMemo(() => view.expanded ?? initiallyExpanded(index), [index, view.expanded]);
  const graph = useMemo(
    () => buildGraph(index, { expanded: new Set(expanded), fold, quiet, metric }),
    [index, expanded, fold, quiet, metric],
  );
  const layout = useLayout(graph, direction, workerUrl);
  const { scene } = layout;
  const viewport = useRef<Viewport>(undefined);
  const [focus, setFocus] = useState<string>();

  const marks = useMemo((): SceneMarks => {
    const selected = selectedItems(index, graph, selection, marksOf(index, selection));
    const found = searchNodes(index, query);
    const onLine = marksOf(index, caret && { kind: 'line', ...caret });
    return {
      focus: focus !== undefined && selected.has(focus) ? focus : selected.size === 1 ? [...selected][0] : undefined,
      selected,
      caret: drawn(index, graph, onLine.nodes),
      matches: found && drawn(index, graph, found),
    };
  }, [index, graph, selection, query, caret, focus]);

  // What the user zoomed stays; a picture of other boxes is fitted anew.
  const fitted = useRef<string>(undefined);
  // The kernel that the user opened stays where it was on the screen.
  const anchor = useRef<{ readonly id: string; readonly x: number; readonly y: number }>(undefined);
  const pictureKey = `${direction} ${graph.items.size} ${expanded.join()} ${layout.busy}`;
  const settle = (): void => {
    const { current } = viewport;
    if (!current || !scene) return;
    const remembered = store.get().view.zoom;
    const still = anchor.current && scene.byId.get(anchor.current.id);
    const { k } = current.zoom;
    if (still && anchor.current) current.set({ x: anchor.current.x - still.x * k, y: anchor.current.y - still.y * k, k });
    else if (fitted.current === undefined && remembered) current.set(remembered);
    else if (fitted.current !== pictureKey && !remembered)
      current.start(scene, firstBox(scene) ?? { x: 0, y: 0, width: 0, height: 0 });
    if (!layout.busy) anchor.current = undefined;
    fitted.current = pictureKey;
  };
  useEffect(settle, [scene, layout.busy]);

  const first = [...marks.selected][0];
  const shown = marks.focus ?? first ?? [...marks.caret][0];
  useEffect(() => {
    const box = shown === undefined ? undefined : scene?.byId.get(shown);
    if (box && fitted.current !== undefined) viewport.current?.show(box.item.open ? { ...box, height: 60 } : box);
  }, [shown, scene]);

  const fit = (): void => {
    store.remember({ zoom: undefined });
    if (scene) viewport.current?.fit(scene, true);
  };
  const reshape = (change: Parameters<typeof store.view>[0]): void => store.view({ ...change, zoom: undefined });
  const choose = (box: SceneBox | undefined, reveal: boolean): void => {
    setFocus(box?.item.id);
    store.select(box && selectionOf(box), { reveal });
  };
  const open = ({ item, x, y }: SceneBox): void => {
    const { kernel } = item;
    const zoom = viewport.current?.zoom;
    if (kernel === undefined || !zoom) return;
    anchor.current = { id: item.id, x: x * zoom.k + zoom.x, y: y * zoom.k + zoom.y };
    reshape({ expanded: expanded.includes(kernel) ? expanded.filter((id) => id !== kernel) : [...expanded, kernel] });
  };
  const keys = (event: KeyboardEvent): void => {
    if (!scene || event.ctrlKey || event.metaKey || event.altKey) return;
    const current = shown === undefined ? undefined : scene.byId.get(shown);
    if (isArrow(event.key)) {
      const next = current ? move(scene, graph, current.item.id, event.key) : firstBox(scene);
      if (next) choose(next, false);
    } else if (event.key === 'Enter' && current) {
      if (current.item.kind === 'kernel') open(current);
      else choose(current, true);
    } else if (event.key === '+' || event.key === '=') viewport.current?.by(1.25);
    else if (event.key === '-') viewport.current?.by(0.8);
    else if (event.key === 'f') fit();
    else if (event.key === 'Escape') choose(undefined, false);
    else return;
    event.preventDefault();
  };

  return (
    <div class="graph">
      <GraphToolbar
        index={index}
        view={view}
        expanded={expanded}
        busy={layout.busy}
        problem={layout.problem}
        onFit={fit}
        onChange={reshape}
        onCancel={layout.cancel}
      />
      <div class="graph-body">
        {scene ? (
          <GraphCanvas
            scene={scene}
            marks={marks}
            viewport={viewport}
            label="Graph of kernels and ops. Arrow keys move, Enter opens a kernel or shows an op’s line, plus and minus zoom, f fits."
            activeId={marks.focus === undefined ? undefined : entryId(marks.focus)}
            tooltip={(box) => describe(box.item, graph)}
            onZoom={(zoom, byUser) => byUser && store.remember({ zoom })}
            onReady={settle}
            onChoose={(box) => choose(box, true)}
            onOpen={open}
            onKeyDown={keys}
          />
        ) : (
          <div class="canvas-box" />
        )}
        <Inspector index={index} selection={selection} />
      </div>
      <GraphList graph={graph} focus={marks.focus} />
    </div>
  );
}
