/**
 * @file The first view: six figures, the device, the errors, the costliest kernels, advice. In: the profile. Out: what
 * one run cost and why, and where it waits; every kernel and line named leads to its place.
 */
import type { VNode } from 'preact';
import { PassChart } from '../chart/PassChart.tsx';
import { RunBars } from '../chart/RunBars.tsx';
import { StageBar } from '../chart/StageBar.tsx';
import { adviceOf, type AdviceEntry } from '../model/advice.ts';
import { ABSENT } from '../model/format.ts';
import { lineKey, type ProfileIndex } from '../model/joins.ts';
import { errorLines, figures, type Figure } from '../model/totals.ts';
import { useStore } from '../state.ts';
import { DeviceLine } from './DeviceLine.tsx';
import { SourceLine } from './SourceLine.tsx';
import { TopKernels } from './TopKernels.tsx';

function Card({ figure, index }: { readonly figure: Figure; readonly index: ProfileIndex }): VNode {
  return (
    <section class="card" title={figure.hint}>
      <h2>{figure.label}</h2>
      <p class={figure.value === ABSENT ? 'value absent' : 'value'} aria-description={figure.hint}>
        {figure.value}
      </p>
      {figure.details.map((detail, at) => (
        <p key={detail} class={at === 0 && figure.tone ? `detail tone-${figure.tone}` : 'detail'}>
          {detail}
        </p>
      ))}
      {figure.key === 'compile' && <StageBar stages={index.profile.compile.stages} legend={false} />}
    </section>
  );
}

function AdviceItem({ entry, index }: { readonly entry: AdviceEntry; readonly index: ProfileIndex }): VNode {
  const store = useStore();
  const { severity, message, spans, kernel } = entry;
  return (
    <li class={`advice advice-${severity}`}>
      <span class="mark" role="img" aria-label={severity}>
        {severity === 'warning' ? '!' : 'i'}
      </span>
      <div>
        <p>{message}</p>
        {spans.length > 0 && (
          <ul class="source-lines">
            {spans.map((span) => (
              <SourceLine key={lineKey(span)} index={index} span={span} />
            ))}
          </ul>
        )}
        {kernel !== undefined && (
          <p class="links">
            <button class="link" onClick={() => store.select({ kind: 'kernel', id: kernel }, { tab: 'kernels' })}>
              kernel
            </button>
          </p>
        )}
      </div>
    </li>
  );
}

function Advices({ entries, index }: { readonly entries: readonly AdviceEntry[]; readonly index: ProfileIndex }): VNode | null {
  if (entries.length === 0) return null;
  return (
    <ul class="advices">
      {entries.map((entry, at) => (
        <AdviceItem key={at} entry={entry} index={index} />
      ))}
    </ul>
  );
}

export function Overview({ index }: { readonly index: ProfileIndex }): VNode {
  const { profile } = index;
  const { ofRun, others } = adviceOf(profile);
  return (
    <div class="overview">
      <DeviceLine device={profile.device} />
      <div class="cards">
        {figures(profile).map((figure) => (
          <Card key={figure.key} figure={figure} index={index} />
        ))}
      </div>
      <div class="columns">
        <section class="block">
          <h2>One run</h2>
          <RunBars profile={profile} />
          <dl class="errors">
            {errorLines(profile).map(({ against, value, hint }) => (
              <div key={against} title={hint}>
                <dt>max relative error against {against}</dt>
                <dd class={value === ABSENT ? 'absent' : ''}>{value}</dd>
              </div>
            ))}
          </dl>
          <Advices entries={ofRun} index={index} />
        </section>
        <section class="block">
          <h2>Compile</h2>
          <StageBar stages={profile.compile.stages} legend />
          <PassChart passes={profile.passes} />
        </section>
      </div>
      <section class="block">
        <h2>Costliest kernels</h2>
        <TopKernels index={index} />
      </section>
      {others.length > 0 && (
        <section class="block">
          <h2>Advice</h2>
          <Advices entries={others} index={index} />
        </section>
      )}
    </div>
  );
}
