/**
 * @file The ops table without its looks. In: the joined profile, a sort, a grouping, the ops that a search left over.
 * Out: one flat list of rows, group headers among them, so that the view can draw any window of it.
 */
import type { ProfileNode } from '../../runtime/profile/model.ts';
import { fileName, place, shapeText } from './format.ts';
import { lineKey, push, sourceText, type ProfileIndex } from './joins.ts';

export const columns = ['op', 'line', 'shape', 'kernel', 'eager', 'share', 'bytes', 'flops'] as const;
export type Column = (typeof columns)[number];

export const groupings = ['none', 'op', 'line', 'kernel'] as const;
export type Grouping = (typeof groupings)[number];

export interface Sort {
  /** Without a column: the order of execution. */
  readonly column?: Column;
  readonly descending: boolean;
}

/** Absent where no op of the group was measured. */
export interface Sums {
  readonly eagerMs?: number;
  readonly share?: number;
  readonly bytes: number;
  readonly flops: number;
}

export interface OpRow extends Sums {
  readonly kind: 'op';
  readonly id: string;
  readonly node: ProfileNode;
  readonly kernel: string;
}

export interface GroupRow extends Sums {
  readonly kind: 'group';
  readonly id: string;
  readonly title: string;
  /** The line's own text, where the group is a line. */
  readonly source?: string;
  readonly count: number;
  readonly open: boolean;
  readonly first: ProfileNode;
}

export type Row = OpRow | GroupRow;

export interface TableOptions {
  readonly sort: Sort;
  readonly grouping: Grouping;
  /** Groups whose ops are listed. */
  readonly opened: ReadonlySet<string>;
  readonly only?: ReadonlySet<string>;
}

const fates: Readonly<Record<ProfileNode['fate'], string>> = {
  kernel: 'none',
  view: 'view: no kernel',
  folded: 'folded',
  shared: 'shared',
  unused: 'unused',
  input: 'input',
};

export function kernelText(index: ProfileIndex, node: ProfileNode): string {
  return index.kernels.get(node.kernel ?? '')?.name ?? fates[node.fate];
}

type Key = string | number | undefined;

function keyOf(row: Row, column: Column): Key {
  switch (column) {
    case 'op':
      return row.kind === 'op' ? row.node.op : row.title;
    case 'line': {
      const { span } = row.kind === 'op' ? row.node : row.first;
      return `${fileName(span.file)}:${String(span.line).padStart(6, '0')}:${String(span.column).padStart(4, '0')}`;
    }
    case 'shape':
      return row.kind === 'op' ? row.node.output.shape.reduce((product, size) => product * size, 1) : row.count;
    case 'kernel':
      return row.kind === 'op' ? row.kernel : row.title;
    case 'eager':
      return row.eagerMs;
    default:
      return row[column];
  }
}

/** Absent figures come last either way; equal ones keep the order of execution. */
export function sortRows<T extends Row>(rows: readonly T[], { column, descending }: Sort): readonly T[] {
  if (!column) return descending ? rows.toReversed() : rows;
  const sign = descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: keyOf(row, column) }));
  keyed.sort(({ key: a }, { key: b }) => {
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  });
  return keyed.map(({ row }) => row);
}

function sums(rows: readonly OpRow[], eagerMs: number | undefined): Sums {
  const measured = rows.filter((row) => row.eagerMs !== undefined);
  const ms = measured.length > 0 ? measured.reduce((total, row) => total + (row.eagerMs ?? 0), 0) : undefined;
  return {
    eagerMs: ms,
    share: ms !== undefined && eagerMs !== undefined && eagerMs > 0 ? ms / eagerMs : undefined,
    bytes: rows.reduce((total, row) => total + row.bytes, 0),
    flops: rows.reduce((total, row) => total + row.flops, 0),
  };
}

function opRow(index: ProfileIndex, node: ProfileNode): OpRow {
  const { eagerMs, bytes, flops } = node;
  const share = eagerMs !== undefined && index.eagerMs ? eagerMs / index.eagerMs : undefined;
  return { kind: 'op', id: node.id, node, kernel: kernelText(index, node), eagerMs, share, bytes, flops };
}

function groupOf(row: OpRow, grouping: Grouping): { readonly id: string; readonly title: string } {
  if (grouping === 'op') return { id: row.node.op, title: row.node.op };
  if (grouping === 'line') return { id: lineKey(row.node.span), title: place(row.node.span) };
  return { id: row.node.kernel ?? row.kernel, title: row.kernel };
}

export function tableRows(index: ProfileIndex, { sort, grouping, opened, only }: TableOptions): readonly Row[] {
  const rows = index.profile.nodes
    .filter((node) => node.fate !== 'input' && (only === undefined || only.has(node.id)))
    .map((node) => opRow(index, node));
  if (grouping === 'none') return sortRows(rows, sort);
  const groups = new Map<string, OpRow[]>();
  for (const row of rows) push(groups, groupOf(row, grouping).id, row);
  const members = new Map<string, readonly OpRow[]>();
  const headers: GroupRow[] = [];
  for (const list of groups.values()) {
    const [first] = list;
    if (!first) continue;
    const { id, title } = groupOf(first, grouping);
    const source = grouping === 'line' ? sourceText(index.profile, first.node.span) : undefined;
    members.set(id, list);
    headers.push({
      kind: 'group',
      id,
      title,
      source,
      count: list.length,
      open: opened.has(id),
      first: first.node,
      ...sums(list, index.eagerMs),
    });
  }
  return sortRows(headers, sort).flatMap((header): readonly Row[] =>
    header.open ? [header, ...sortRows(members.get(header.id) ?? [], sort)] : [header],
  );
}

export function rowShape(row: OpRow): string {
  return shapeText(row.node.output);
}

export const numeric: ReadonlySet<Column> = new Set<Column>(['eager', 'share', 'bytes', 'flops']);

/** Figures start with the largest, texts with the first; a third click returns to the order of execution. */
export function nextSort(sort: Sort, column: Column): Sort {
  const first = numeric.has(column);
  if (sort.column !== column) return { column, descending: first };
  return sort.descending === first ? { column, descending: !first } : { descending: false };
}
