/**
 * @file All ops in a table. In: the joined profile, the search, sort and grouping. Out: sortable columns over a
 * virtual list; a click or Enter on a row selects its op and shows its line.
 */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import { Dropdown } from '../components.tsx';
import { count, plural } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { searchNodes } from '../model/search.ts';
import { marksOf, type Selection } from '../model/selection.ts';
import {
  columns,
  groupings,
  nextSort,
  numeric,
  tableRows,
  type Column,
  type Grouping,
  type Row,
  type Sort,
} from '../model/table.ts';
import { useAppState, useStore } from '../state.ts';
import { TableRow } from './TableRow.tsx';
import { VirtualList } from './VirtualList.tsx';

const ROW = 24;
const HEAD = 28;

const titles: Readonly<Record<Column, string>> = {
  op: 'Op',
  line: 'Line',
  shape: 'Shape',
  kernel: 'Kernel',
  eager: 'Eager',
  share: 'Share',
  bytes: 'Bytes',
  flops: 'FLOPs',
};

const hints: Partial<Readonly<Record<Column, string>>> = {
  eager: 'What the op cost when it ran by itself.',
  share: 'Its part of the eager time of all ops.',
  bytes: 'Bytes that it reads and writes, by its cost rule.',
  flops: 'Floating point operations, by its cost rule.',
  kernel: 'The kernel of the compiled run that computes it.',
};

const groupingNames: Readonly<Record<Grouping, string>> = { none: 'nothing', op: 'op', line: 'line', kernel: 'kernel' };

function Head({ sort, onSort }: { readonly sort: Sort; readonly onSort: (sort: Sort) => void }): VNode {
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {columns.map((column) => {
        const active = sort.column === column;
        const order = active ? (sort.descending ? 'descending' : 'ascending') : 'none';
        return (
          <div key={column} role="columnheader" aria-sort={order} class={numeric.has(column) ? 'cell number' : 'cell'}>
            <button class="sort" title={hints[column]} onClick={() => onSort(nextSort(sort, column))}>
              {titles[column]}
              <span aria-hidden="true">{active ? (sort.descending ? ' ↓' : ' ↑') : ''}</span>
            </button>
          </div>
        );
      })}
    </div>
  );
}

function selectionOf(row: Row, grouping: Grouping): Selection | undefined {
  if (row.kind === 'op') return { kind: 'node', id: row.id };
  if (grouping === 'line') return { kind: 'line', file: row.first.span.file, line: row.first.span.line };
  return grouping === 'kernel' && row.first.kernel !== undefined ? { kind: 'kernel', id: row.first.kernel } : undefined;
}

/** The row that stands for the selection. */
function findRow(rows: readonly Row[], selection: Selection | undefined): number {
  if (!selection) return -1;
  if (selection.kind === 'node') return rows.findIndex((row) => row.kind === 'op' && row.id === selection.id);
  if (selection.kind === 'kernel') {
    return rows.findIndex((row) => (row.kind === 'group' ? row.id === selection.id : row.node.kernel === selection.id));
  }
  return rows.findIndex((row) => {
    const { span } = row.kind === 'op' ? row.node : row.first;
    return span.file === selection.file && span.line === selection.line;
  });
}

export function OpsTable({ index }: { readonly index: ProfileIndex }): VNode {
  const store = useStore();
  const { view, caret } = useAppState();
  const { sort, grouping, opened, query, selection } = view;
  const only = useMemo(() => searchNodes(index, query), [index, query]);
  const rows = useMemo(
    () => tableRows(index, { sort, grouping, opened: new Set(opened), only }),
    [index, sort, grouping, opened, only],
  );
  const marks = useMemo(() => marksOf(index, selection), [index, selection]);
  const caretMarks = useMemo(() => marksOf(index, caret && { kind: 'line', ...caret }), [index, caret]);
  const selected = findRow(rows, selection);
  const caretRow = findRow(rows, caret && { kind: 'line', ...caret });
  const ops = rows.reduce((total, row) => total + (row.kind === 'op' ? 1 : row.open ? 0 : row.count), 0);

  const toggle = (id: string): void =>
    store.view({ opened: opened.includes(id) ? opened.filter((other) => other !== id) : [...opened, id] });
  const choose = (at: number, reveal: boolean): void => {
    const row = rows[at];
    const next = row && selectionOf(row, grouping);
    if (next) store.select(next, { reveal });
  };
  const keys = (event: KeyboardEvent): void => {
    const row = rows[selected];
    if (event.key === 'ArrowDown') choose(Math.min(rows.length - 1, selected + 1), false);
    else if (event.key === 'ArrowUp') choose(Math.max(0, selected - 1), false);
    else if (event.key === 'Home') choose(0, false);
    else if (event.key === 'End') choose(rows.length - 1, false);
    else if (event.key === 'Enter' && event.target === event.currentTarget) choose(selected, true);
    else if (row?.kind === 'group' && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      if (row.open !== (event.key === 'ArrowRight')) toggle(row.id);
    } else return;
    event.preventDefault();
  };

  return (
    <div class="ops">
      <div class="toolbar">
        <Dropdown<Grouping>
          label="Group by"
          value={grouping}
          options={groupings.map((name) => [name, groupingNames[name]])}
          onChange={(next) => store.view({ grouping: next, opened: [] })}
        />
        {grouping !== 'none' && (
          <>
            <button class="link" onClick={() => store.view({ opened: [] })}>
              collapse all
            </button>
            <button
              class="link"
              onClick={() => store.view({ opened: rows.flatMap((row) => (row.kind === 'group' ? row.id : [])) })}
            >
              expand all
            </button>
          </>
        )}
        <span class="muted" role="status">
          {only ? `${count(ops)} of ${plural(index.profile.nodes.length, 'op')}` : plural(ops, 'op')}
        </span>
      </div>
      <VirtualList
        class="table"
        role="grid"
        label="Ops. Arrow keys move, Enter shows the line."
        count={rows.length}
        rowHeight={ROW}
        headerHeight={HEAD}
        minWidth="760px"
        shown={selected >= 0 && selection?.kind === 'node' ? selected : caretRow >= 0 ? caretRow : selected}
        onKeyDown={keys}
        header={<Head sort={sort} onSort={(next) => store.view({ sort: next })} />}
        row={(at, top) => {
          const row = rows[at];
          if (!row) return null;
          const has = (nodes: ReadonlySet<string>): boolean => row.kind === 'op' && nodes.has(row.id);
          return (
            <TableRow
              key={`${row.kind} ${row.id}`}
              index={index}
              row={row}
              at={at}
              top={top}
              selected={at === selected || has(marks.nodes)}
              caret={has(caretMarks.nodes)}
              nested={grouping !== 'none'}
              onClick={() => (row.kind === 'group' && !selectionOf(row, grouping) ? toggle(row.id) : choose(at, true))}
              onToggle={() => row.kind === 'group' && toggle(row.id)}
            />
          );
        }}
      />
    </div>
  );
}
