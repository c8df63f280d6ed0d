/**
 * @file A kernel's WGSL, each line tied to the op that it computes for. In: the kernel, the selection, the caret's
 * nodes. Out: coloured lines in a virtual list; hovering one shows its op's place, clicking selects the op.
 */
import type { VNode } from 'preact';
import { useMemo } from 'preact/hooks';
import type { ProfileKernel } from '../../runtime/profile/model.ts';
import { place } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { marksOf } from '../model/selection.ts';
import { tokenise } from '../model/wgsl.ts';
import { useAppState, useStore } from '../state.ts';
import { VirtualList } from './VirtualList.tsx';

const ROW = 19;

interface WgslCodeProps {
  readonly index: ProfileIndex;
  readonly kernel: ProfileKernel;
  readonly caretNodes: ReadonlySet<string>;
}

interface LineProps {
  readonly number: number;
  readonly text: string;
  readonly top: number;
  /** Op and place, where the line belongs to one. */
  readonly origin?: string;
  readonly marked: string;
  readonly onClick?: () => void;
}

function Line({ number, text, top, origin, marked, onClick }: LineProps): VNode {
  return (
    <div
      role="listitem"
      class={`code-line ${marked} ${onClick ? 'mapped' : ''}`}
      style={{ top: `${top}px` }}
      title={origin}
      onClick={onClick}
    >
      <span class="code-number">{number}</span>
      <code>
        {tokenise(text).map(({ kind, text: part }, at) => (
          <span key={at} class={`token-${kind}`}>
            {part}
          </span>
        ))}
      </code>
      {origin !== undefined && <span class="code-origin">{origin}</span>}
    </div>
  );
}

export function WgslCode({ index, kernel, caretNodes }: WgslCodeProps): VNode {
  const store = useStore();
  const { selection } = useAppState().view;
  const lines = useMemo(() => kernel.wgsl.split('\n'), [kernel]);
  const longest = useMemo(() => lines.reduce((most, line) => Math.max(most, line.length), 0), [lines]);
  const nodeMarks = selection?.kind === 'kernel' ? undefined : marksOf(index, selection).nodes;
  const owns = (nodes: ReadonlySet<string> | undefined, at: number): boolean => {
    const id = kernel.wgslNodes[at];
    return id !== undefined && id !== null && nodes !== undefined && nodes.has(id);
  };
  const firstMarked = nodeMarks ? lines.findIndex((_, at) => owns(nodeMarks, at)) : -1;
  const firstCaret = lines.findIndex((_, at) => owns(caretNodes, at));
  if (kernel.wgsl === '') return <p class="muted">This device runs no WGSL.</p>;
  return (
    <VirtualList
      class="code"
      label={`WGSL of ${kernel.name}`}
      count={lines.length}
      rowHeight={ROW}
      minWidth={`${longest + 34}ch`}
      shown={firstMarked >= 0 ? firstMarked : firstCaret}
      row={(at, top) => {
        const node = index.nodes.get(kernel.wgslNodes[at] ?? '');
        const marked = owns(nodeMarks, at) ? 'selected' : owns(caretNodes, at) ? 'caret' : '';
        return (
          <Line
            key={at}
            number={at + 1}
            text={lines[at] ?? ''}
            top={top}
            origin={node && `${node.op} · ${place(node.span)}`}
            marked={marked}
            onClick={node && (() => store.select({ kind: 'node', id: node.id }, { reveal: true }))}
          />
        );
      }}
    />
  );
}
