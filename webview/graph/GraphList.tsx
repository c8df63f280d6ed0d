/**
 * @file The graph as a tree for screen readers, which see no canvas. In: graph and focus. Out: kernels with their open
 * ops below them, a window around the focus; the canvas names the focused entry as its active one.
 */
import type { VNode } from 'preact';
import { describe, type Graph } from '../model/graph.ts';
import type { GraphItem } from '../model/graphItems.ts';
import { push } from '../model/joins.ts';

/** Entries on either side of the focus: a screen reader is not helped by thousands. */
const AROUND = 60;

export function entryId(item: string): string {
  return `graph-${item.replaceAll(/[^\w]/g, '_')}`;
}

/** Each box followed by what stands in it. */
function inOrder(graph: Graph): readonly GraphItem[] {
  const inside = new Map<string | undefined, GraphItem[]>();
  for (const item of graph.items.values()) push(inside, item.parent, item);
  return (inside.get(undefined) ?? []).flatMap((item) => [item, ...(inside.get(item.id) ?? [])]);
}

interface GraphListProps {
  readonly graph: Graph;
  readonly focus?: string;
}

export function GraphList({ graph, focus }: GraphListProps): VNode {
  const items = inOrder(graph);
  const at = Math.max(
    0,
    items.findIndex((item) => item.id === focus),
  );
  const from = Math.max(0, at - AROUND);
  const focused = focus === undefined ? undefined : graph.items.get(focus);
  return (
    <div class="only-read">
      <p role="status" aria-live="polite">
        {focused ? describe(focused, graph) : ''}
      </p>
      <ul role="tree" aria-label={`Graph, ${items.length} boxes`}>
        {items.slice(from, at + AROUND).map((item, offset) => (
          <li
            key={item.id}
            id={entryId(item.id)}
            role="treeitem"
            aria-level={item.parent === undefined ? 1 : 2}
            aria-expanded={item.kind === 'kernel' ? item.open : undefined}
            aria-selected={item.id === focus}
            aria-setsize={items.length}
            aria-posinset={from + offset + 1}
          >
            {describe(item, graph)}
          </li>
        ))}
      </ul>
    </div>
  );
}
