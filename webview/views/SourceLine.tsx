/** @file A line of the source as it was when it ran. In: the joined profile and a span. Out: its place and text, which lead there. */
import type { VNode } from 'preact';
import type { Span } from '../../runtime/profile/model.ts';
import { place } from '../model/format.ts';
import { sourceText, type ProfileIndex } from '../model/joins.ts';
import { useStore } from '../state.ts';

export function SourceLine({ index, span }: { readonly index: ProfileIndex; readonly span: Span }): VNode {
  const store = useStore();
  const text = sourceText(index.profile, span);
  return (
    <li>
      <button class="source-line" title={`${span.file}:${span.line}`} onClick={() => store.reveal(span)}>
        <span class="link">{place(span)}</span>
        {text !== undefined && <code>{text}</code>}
      </button>
    </li>
  );
}
