/**
 * @file What was profiled, when, on what. In: the profile and whether its source changed. Out: links to the source and
 * the two buttons. Software times are called so here, above every view.
 */
import type { VNode } from 'preact';
import { Button } from '../components.tsx';
import { place } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { useAppState, useStore } from '../state.ts';
import { SpanLink } from './SpanLink.tsx';

function when(iso: string): { readonly short: string; readonly long: string } {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return { short: iso, long: iso };
  const today = date.toDateString() === new Date().toDateString();
  const time = date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return { short: today ? time : `${date.toLocaleDateString()} ${time}`, long: date.toLocaleString() };
}

export function Header({ index }: { readonly index: ProfileIndex }): VNode {
  const store = useStore();
  const { stale } = useAppState();
  const { profile } = index;
  const { short, long } = when(profile.createdAt);
  return (
    <header class="header">
      <div class="heading">
        <h1>{profile.example}</h1>
        <SpanLink span={profile.span} text={place(profile.span)} />
        <span class="muted" title={long}>
          {short}
        </span>
        {profile.device.kind !== 'gpu' && (
          <span class="chip chip-warning" title="No GPU took part: the kernels ran on the CPU.">
            software times
          </span>
        )}
        {stale && (
          <span class="chip chip-info" role="status" title="Lines and times are those of the source as it was when it ran.">
            source changed since this run
          </span>
        )}
      </div>
      <div class="actions">
        <Button kind={stale ? 'primary' : 'secondary'} onClick={() => store.post({ type: 'rerun' })}>
          Run again
        </Button>
        <Button onClick={() => store.post({ type: 'save' })}>Save</Button>
      </div>
    </header>
  );
}
