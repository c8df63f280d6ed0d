/**
 * @file What is selected, in full. In: the joined profile and the selection. Out: figures, the source line, and links to
 * producers, consumers, the kernel and every caller.
 */
import type { ComponentChildren, VNode } from 'preact';
import type { ProfileKernel, ProfileNode, Span } from '../../runtime/profile/model.ts';
import { bytes, clockTime, fileName, flops, gigaPerSecond, percent, plural, tensorText } from '../model/format.ts';
import { totalOf } from '../model/heat.ts';
import { sourceText, type ProfileIndex } from '../model/joins.ts';
import { marksOf, type Selection } from '../model/selection.ts';
import { kernelText } from '../model/table.ts';
import { useStore } from '../state.ts';
import { SpanLink } from './SpanLink.tsx';

const MOST = 8;

function Facts({ rows }: { readonly rows: readonly (readonly [string, ComponentChildren])[] }): VNode {
  return (
    <dl class="facts narrow">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Source({ index, span }: { readonly index: ProfileIndex; readonly span: Span }): VNode {
  const text = sourceText(index.profile, span);
  return (
    <div class="inspected-source">
      <SpanLink span={span} />
      {text !== undefined && <code>{text}</code>}
    </div>
  );
}

function NodeLinks({
  index,
  title,
  ids,
}: {
  readonly index: ProfileIndex;
  readonly title: string;
  readonly ids: readonly string[];
}): VNode | null {
  const store = useStore();
  const nodes = ids.flatMap((id) => index.nodes.get(id) ?? []);
  if (nodes.length === 0) return null;
  const more = nodes.length - MOST;
  return (
    <>
      <h3>{title}</h3>
      <ul class="node-links">
        {nodes.slice(0, MOST).map((node) => (
          <li key={node.id}>
            <button class="link" onClick={() => store.select({ kind: 'node', id: node.id }, { reveal: true })}>
              {node.fate === 'input' && node.attributes ? node.attributes : node.op}
            </button>{' '}
            <span class="muted">{tensorText(node.output)}</span>
          </li>
        ))}
        {more > 0 && <li class="muted">and {plural(more, 'more')}</li>}
      </ul>
    </>
  );
}

function KernelLink({
  index,
  id,
  text,
}: {
  readonly index: ProfileIndex;
  readonly id: string | undefined;
  readonly text: string;
}): VNode {
  const store = useStore();
  if (id === undefined || !index.kernels.has(id)) return <>{text}</>;
  return (
    <button class="link" onClick={() => store.select({ kind: 'kernel', id })}>
      {text}
    </button>
  );
}

function NodePart({
  index,
  node,
  twins,
}: {
  readonly index: ProfileIndex;
  readonly node: ProfileNode;
  readonly twins: readonly string[];
}): VNode {
  const all = [node, ...twins.flatMap((id) => (id === node.id ? [] : (index.nodes.get(id) ?? [])))];
  const ms = totalOf('time', all);
  const total = (metric: 'bytes' | 'flops'): number => totalOf(metric, all) ?? 0;
  const callers = node.stack.slice(1);
  return (
    <>
      <h2>
        {node.op} <span class="muted">{all.length > 1 ? `×${all.length}` : node.attributes}</span>
      </h2>
      <Source index={index} span={node.span} />
      <Facts
        rows={[
          ['Result', tensorText(node.output)],
          ['Kernel', <KernelLink index={index} id={node.kernel} text={kernelText(index, node)} />],
          ['Eager time', clockTime(ms, index.profile.device.timerResolutionNs)],
          ['Share', percent(ms !== undefined && index.eagerMs ? ms / index.eagerMs : undefined)],
          ['Bytes', bytes(total('bytes'))],
          ['FLOPs', flops(total('flops'))],
        ]}
      />
      <NodeLinks index={index} title="From" ids={node.inputs} />
      <NodeLinks index={index} title="To" ids={index.consumers.get(node.id) ?? []} />
      {callers.length > 0 && (
        <>
          <h3>Called from</h3>
          <ul class="node-links">
            {callers.map((span, at) => (
              <li key={at}>
                <SpanLink span={span} /> <span class="muted">{span.function}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

function KernelPart({ index, kernel }: { readonly index: ProfileIndex; readonly kernel: ProfileKernel }): VNode {
  const store = useStore();
  const share = kernel.ms !== undefined && index.tracedMs && kernel.mode === 'traced' ? kernel.ms / index.tracedMs : undefined;
  return (
    <>
      <h2>{kernel.name}</h2>
      <Facts
        rows={[
          ['Time', `${clockTime(kernel.ms, index.profile.device.timerResolutionNs)} · ${percent(share)}`],
          ['Bandwidth', gigaPerSecond(kernel.bytes, kernel.ms, 'B')],
          ['Compute', gigaPerSecond(kernel.flops, kernel.ms, 'FLOP')],
          ['Work', `${bytes(kernel.bytes)} · ${flops(kernel.flops)}`],
          ['Ops', plural(kernel.nodes.length, 'op')],
          ['Schedule', kernel.schedule],
        ]}
      />
      <button class="link" onClick={() => store.select({ kind: 'kernel', id: kernel.id }, { tab: 'kernels' })}>
        Show WGSL
      </button>
      <h3>Lines</h3>
      {kernel.spans.slice(0, MOST).map((span) => (
        <Source key={`${span.file}:${span.line}`} index={index} span={span} />
      ))}
      {kernel.boundary !== undefined && (
        <p class="boundary">
          <span class="muted">Ends here because</span> {kernel.boundary}
        </p>
      )}
    </>
  );
}

function LinePart({ index, file, line }: { readonly index: ProfileIndex; readonly file: string; readonly line: number }): VNode {
  const marks = marksOf(index, { kind: 'line', file, line });
  const nodes = [...marks.nodes].flatMap((id) => index.nodes.get(id) ?? []);
  return (
    <>
      <h2>
        {fileName(file)}:{line}
      </h2>
      <Source index={index} span={{ file, line, column: 1 }} />
      <Facts
        rows={[
          ['Ops', plural(nodes.length, 'op')],
          ['Eager time', clockTime(totalOf('time', nodes), index.profile.device.timerResolutionNs)],
        ]}
      />
      <NodeLinks index={index} title="Ops" ids={[...marks.nodes]} />
    </>
  );
}

export function Inspector({
  index,
  selection,
}: {
  readonly index: ProfileIndex;
  readonly selection: Selection | undefined;
}): VNode {
  const node = selection?.kind === 'node' ? index.nodes.get(selection.id) : undefined;
  const kernel = selection?.kind === 'kernel' ? index.kernels.get(selection.id) : undefined;
  return (
    <aside class="inspector" aria-label="Selection">
      {node && selection?.kind === 'node' && <NodePart index={index} node={node} twins={selection.twins ?? []} />}
      {kernel && <KernelPart index={index} kernel={kernel} />}
      {selection?.kind === 'line' && <LinePart index={index} file={selection.file} line={selection.line} />}
      {!selection && (
        <div class="muted hint">
          <p>Select a box to see what it cost and where it came from.</p>
          <ul class="keys">
            <li>
              <kbd>↑</kbd> <kbd>↓</kbd> <kbd>←</kbd> <kbd>→</kbd> move along the edges
            </li>
            <li>
              <kbd>Enter</kbd> open a kernel, show an op’s line
            </li>
            <li>
              <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>f</kbd> fit
            </li>
          </ul>
        </div>
      )}
    </aside>
  );
}
