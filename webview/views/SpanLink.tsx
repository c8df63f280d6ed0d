/** @file A link to a place in the source. In: a span and its text. Out: a button that asks the extension to reveal it. */
import type { VNode } from 'preact';
import type { Span } from '../../runtime/profile/model.ts';
import { place } from '../model/format.ts';
import { useStore } from '../state.ts';

export function SpanLink({ span, text }: { readonly span: Span; readonly text?: string }): VNode {
  const store = useStore();
  const go = (event: MouseEvent): void => {
    event.stopPropagation();
    store.reveal(span);
  };
  return (
    <button class="link" title={`${span.file}:${span.line}:${span.column}`} onClick={go}>
      {text ?? place(span)}
    </button>
  );
}
