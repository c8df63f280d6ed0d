/**
 * @file A scrolled list that draws only what is in sight. In: how many rows of one height, and how to draw one. Out: the
 * rows in the window, and a scroll bar as for all of them. `shown` is scrolled into sight when it changes.
 */
import type { ComponentChildren, VNode } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

interface VirtualListProps {
  readonly count: number;
  readonly rowHeight: number;
  readonly row: (at: number, top: number) => ComponentChildren;
  /** The row to keep in sight. */
  readonly shown?: number;
  readonly header?: ComponentChildren;
  readonly headerHeight?: number;
  readonly minWidth?: string;
  readonly class?: string;
  readonly role?: 'grid' | 'list';
  readonly label: string;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
}

/** Rows drawn beyond either edge, so that a fast scroll shows no gap. */
const MARGIN = 12;

export function VirtualList(props: VirtualListProps): VNode {
  const { count, rowHeight, row, shown, header, headerHeight = 0, minWidth, role = 'list', label, onKeyDown } = props;
  const element = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ from: 0, to: 60 });

  const measure = (): void => {
    const box = element.current;
    if (!box) return;
    const from = Math.max(0, Math.floor(box.scrollTop / rowHeight) - MARGIN);
    const to = Math.ceil((box.scrollTop + box.clientHeight) / rowHeight) + MARGIN;
    setRange((old) => (old.from === from && old.to === to ? old : { from, to }));
  };

  useLayoutEffect(() => {
    const box = element.current;
    if (!box) return;
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, [rowHeight]);

  useLayoutEffect(() => {
    const box = element.current;
    if (!box || shown === undefined || shown < 0) return;
    const top = shown * rowHeight;
    const view = box.clientHeight - headerHeight;
    if (top < box.scrollTop) box.scrollTop = Math.max(0, top - rowHeight * 2);
    else if (top + rowHeight > box.scrollTop + view) box.scrollTop = top - view + rowHeight * 3;
    measure();
  }, [shown, rowHeight]);

  const rows: ComponentChildren[] = [];
  for (let at = range.from; at < Math.min(count, range.to); at++) rows.push(row(at, at * rowHeight));
  return (
    <div
      class={`virtual ${props.class ?? ''}`}
      ref={element}
      onScroll={measure}
      onKeyDown={onKeyDown}
      tabIndex={0}
      role={role}
      aria-label={label}
      aria-rowcount={role === 'grid' ? count + 1 : undefined}
    >
      <div class="virtual-width" style={{ minWidth }}>
        {header}
        <div
          class="virtual-rows"
          role={role === 'grid' ? 'rowgroup' : 'presentation'}
          style={{ height: `${count * rowHeight}px` }}
        >
          {rows}
        </div>
      </div>
    </div>
  );
}
