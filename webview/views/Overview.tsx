/**
 * @file The first view: six figures, the device, the errors, the costliest kernels, advice. In: the profile. Out: what
 * one run cost and why; every kernel and line named leads to its place.
 */
import type { VNode } from 'preact';
import type { Advice } from '../../runtime/profile/model.ts';
import { PassChart } from '../chart/PassChart.tsx';
import { RunBars } from '../chart/RunBars.tsx';
import { StageBar } from '../chart/StageBar.tsx';
import { ABSENT } from '../model/format.ts';
import type { ProfileIndex } from '../model/joins.ts';
import { errorLines, figures, type Figure } from '../model/totals.ts';
import { useStore } from '../state.ts';
import { DeviceLine } from './DeviceLine.tsx';
import { SpanLink } from './SpanLink.tsx';
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

function AdviceItem({ advice }: { readonly advice: Advice }): VNode {
  const store = useStore();
  const { severity, message, span, kernel } = advice;
  return (
    <li class={`advice advice-${severity}`}>
      <span class="mark" role="img" aria-label={severity}>
        {severity === 'warning' ? '!' : 'i'}
      </span>
      <div>
        <p>{message}</p>
        <p class="links">
          {span && <SpanLink span={span} />}
          {kernel !== undefined && (
            <button class="link" onClick={() => store.select({ kind: 'kernel', id: kernel }, { tab: 'kernels' })}>
              kernel
            </button>
          )}
        </p>
      </div>
    </li>
  );
}

export function Overview({ index }: { readonly index: ProfileIndex }): VNode {
  const { profile } = index;
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
      {profile.advice.length > 0 && (
        <section class="block">
          <h2>Advice</h2>
          <ul class="advices">
            {profile.advice.map((advice, at) => (
              <AdviceItem key={at} advice={advice} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
