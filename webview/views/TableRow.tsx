/**
 * @file One row of the ops table, an op or the header of a group. In: the row and how it is marked. Out: its cells; the
 * share is a number with a bar behind it.
 */
import type { VNode } from 'preact';
import { ShareBar } from '../chart/ShareBar.tsx';
import { bytes, clockTime, flops, percent, place, plural } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { rowShape, type Row } from '../model/table.ts';

interface TableRowProps {
  readonly index: ProfileIndex;
  readonly row: Row;
  readonly at: number;
  readonly top: number;
  readonly selected: boolean;
  readonly caret: boolean;
  readonly nested: boolean;
  readonly onClick: () => void;
  readonly onToggle: () => void;
}

function Figures({ index, row }: { readonly index: ProfileIndex; readonly row: Row }): VNode {
  const why =
    row.eagerMs === undefined ? 'This op was not timed: it launched no kernel, or the device gave no timestamps.' : undefined;
  return (
    <>
      <div role="gridcell" class="cell number" title={why}>
        {clockTime(row.eagerMs, index.profile.device.timerResolutionNs)}
      </div>
      <div role="gridcell" class="cell number with-bar" title={why}>
        <ShareBar share={row.share} />
        <span>{percent(row.share)}</span>
      </div>
      <div role="gridcell" class="cell number">
        {bytes(row.bytes)}
      </div>
      <div role="gridcell" class="cell number">
        {row.flops === 0 ? '0' : flops(row.flops)}
      </div>
    </>
  );
}

export function TableRow({ index, row, at, top, selected, caret, nested, onClick, onToggle }: TableRowProps): VNode {
  const marks = [row.kind === 'group' ? 'group' : '', selected ? 'selected' : '', caret ? 'caret' : ''].filter(Boolean).join(' ');
  const toggle = (event: MouseEvent): void => {
    event.stopPropagation();
    onToggle();
  };
  return (
    <div
      class={`row ${marks}`}
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected}
      style={{ top: `${top}px` }}
      onClick={onClick}
    >
      {row.kind === 'group' ? (
        <div role="gridcell" class="cell group-title" title={row.source}>
          <button
            class="twisty"
            aria-expanded={row.open}
            aria-label={`${row.title}, ${plural(row.count, 'op')}`}
            onClick={toggle}
          >
            {row.open ? '▾' : '▸'}
          </button>
          <b>{row.title}</b>
          <span class="muted">×{row.count}</span>
          {row.source !== undefined && <code class="muted">{row.source}</code>}
        </div>
      ) : (
        <>
          <div role="gridcell" class={nested ? 'cell op nested' : 'cell op'} title={row.node.attributes}>
            {row.node.op} <span class="muted">{row.node.attributes}</span>
          </div>
          <div role="gridcell" class="cell" title={row.node.span.file}>
            {place(row.node.span)}
          </div>
          <div role="gridcell" class="cell" title={row.node.output.dtype}>
            {rowShape(row)}
          </div>
          <div role="gridcell" class={row.node.fate === 'kernel' ? 'cell' : 'cell muted'} title={row.kernel}>
            {row.kernel}
          </div>
        </>
      )}
      <Figures index={index} row={row} />
    </div>
  );
}
