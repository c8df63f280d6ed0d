/**
 * @file The five costliest kernels and the lines that they came from. In: the joined profile. Out: a list by descending
 * time, in the order of dispatch where nothing was timed.
 */
import type { VNode } from 'preact';
import type { ProfileKernel } from '../../runtime/profile/model.ts';
import { ShareBar } from '../chart/ShareBar.tsx';
import { clockTime, gigaPerSecond, percent, plural } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { useStore } from '../state.ts';
import { SourceLine } from './SourceLine.tsx';

const TOP = 5;
const LINES = 3;

function Entry({ index, kernel }: { readonly index: ProfileIndex; readonly kernel: ProfileKernel }): VNode {
  const store = useStore();
  const share = kernel.ms !== undefined && index.tracedMs ? kernel.ms / index.tracedMs : undefined;
  const more = kernel.spans.length - LINES;
  return (
    <li class="top">
      <div class="top-head">
        <button class="link name" onClick={() => store.select({ kind: 'kernel', id: kernel.id }, { tab: 'kernels' })}>
          {kernel.name}
        </button>
        <span class="muted">{plural(kernel.nodes.length, 'op')}</span>
        <span class="figures">
          <b>{clockTime(kernel.ms, index.profile.device.timerResolutionNs)}</b>
          <span>{percent(share)}</span>
          <span class="muted">{gigaPerSecond(kernel.bytes, kernel.ms, 'B')}</span>
          <span class="muted">{gigaPerSecond(kernel.flops, kernel.ms, 'FLOP')}</span>
        </span>
      </div>
      <ShareBar share={share} />
      <ul class="source-lines">
        {kernel.spans.slice(0, LINES).map((span) => (
          <SourceLine key={`${span.file}:${span.line}`} index={index} span={span} />
        ))}
        {more > 0 && <li class="muted more">and {plural(more, 'more line')}</li>}
      </ul>
    </li>
  );
}

export function TopKernels({ index }: { readonly index: ProfileIndex }): VNode {
  const top = index.traced.toSorted((a, b) => (b.ms ?? 0) - (a.ms ?? 0)).slice(0, TOP);
  if (top.length === 0) return <p class="muted">This run launched no kernel.</p>;
  return (
    <ol class="tops">
      {top.map((kernel) => (
        <Entry key={kernel.id} index={index} kernel={kernel} />
      ))}
    </ol>
  );
}
