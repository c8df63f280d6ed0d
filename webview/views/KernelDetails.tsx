/**
 * @file One kernel: its figures, its lines, its WGSL. In: the kernel and the nodes under the caret. Out: what it
 * reached of the device's copy rate, why the next kernel is not part of it, and its code.
 */
import type { VNode } from 'preact';
import type { ProfileKernel } from '../../runtime/profile/model.ts';
import { Button } from '../components.tsx';
import { bytes, clockTime, count, flops, gigaPerSecond, percent, plural, tensorText } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { useStore } from '../state.ts';
import { SpanLink } from './SpanLink.tsx';
import { WgslCode } from './WgslCode.tsx';

const MOST_LINES = 8;
const MOST_TENSORS = 4;

function tensors(list: ProfileKernel['inputs']): string {
  const more = list.length - MOST_TENSORS;
  return list.slice(0, MOST_TENSORS).map(tensorText).join(', ') + (more > 0 ? ` and ${plural(more, 'more')}` : '');
}

function facts(index: ProfileIndex, kernel: ProfileKernel): readonly (readonly [string, string])[] {
  const { copyBytesPerSecond, timerResolutionNs } = index.profile.device;
  const ofCopy =
    copyBytesPerSecond !== undefined && kernel.ms ? kernel.bytes / (kernel.ms / 1000) / copyBytesPerSecond : undefined;
  return [
    ['Time', clockTime(kernel.ms, timerResolutionNs)],
    [
      'Bandwidth',
      gigaPerSecond(kernel.bytes, kernel.ms, 'B') + (ofCopy === undefined ? '' : ` · ${percent(ofCopy)} of copy rate`),
    ],
    ['Compute', gigaPerSecond(kernel.flops, kernel.ms, 'FLOP')],
    ['Work', `${bytes(kernel.bytes)} · ${flops(kernel.flops)}`],
    ['Workgroups', `${kernel.workgroups.map(count).join(' × ')} of ${kernel.workgroupSize.join(' × ')} threads`],
    ['Launches', count(kernel.launches)],
    ['Schedule', kernel.schedule],
    ['Reads', tensors(kernel.inputs)],
    ['Writes', tensors(kernel.outputs)],
  ];
}

interface KernelDetailsProps {
  readonly index: ProfileIndex;
  readonly kernel: ProfileKernel;
  readonly caretNodes: ReadonlySet<string>;
}

export function KernelDetails({ index, kernel, caretNodes }: KernelDetailsProps): VNode {
  const store = useStore();
  const more = kernel.spans.length - MOST_LINES;
  return (
    <article class="kernel-details">
      <header>
        <h2>{kernel.name}</h2>
        <div class="actions">
          {kernel.mode === 'traced' && (
            <Button onClick={() => store.select({ kind: 'kernel', id: kernel.id }, { tab: 'graph' })}>Show in graph</Button>
          )}
          <Button onClick={() => store.post({ type: 'copy', text: kernel.wgsl })}>Copy WGSL</Button>
          <Button onClick={() => store.post({ type: 'openWgsl', kernel: kernel.id })}>Open as document</Button>
        </div>
      </header>
      <dl class="facts">
        {facts(index, kernel).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="from">
        <span class="muted">{plural(kernel.nodes.length, 'op')} of</span>
        {kernel.spans.slice(0, MOST_LINES).map((span) => (
          <SpanLink key={`${span.file}:${span.line}`} span={span} />
        ))}
        {more > 0 && <span class="muted">and {plural(more, 'more line')}</span>}
      </p>
      {kernel.boundary !== undefined && (
        <p class="boundary">
          <span class="muted">Ends here because</span> {kernel.boundary}
        </p>
      )}
      <WgslCode index={index} kernel={kernel} caretNodes={caretNodes} />
    </article>
  );
}
