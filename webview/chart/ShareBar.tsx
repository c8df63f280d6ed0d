/** @file A thin bar whose filled part is a share. In: 0 … 1, or none. Out: the bar; the number stands beside it in text. */
import type { VNode } from 'preact';

export function ShareBar({ share }: { readonly share?: number }): VNode {
  return (
    <div class="share" aria-hidden="true">
      <div class="share-fill" style={{ width: `${Math.min(1, share ?? 0) * 100}%` }} />
    </div>
  );
}
