/**
 * @file The stages of the compile side by side. In: stages with their times. Out: one bar, each part as wide as its
 * share, and with `legend` a list of names and times.
 */
import type { VNode } from 'preact';
import type { CompileStage } from '../../runtime/profile/model.ts';
import { milliseconds } from '../model/format.ts';

/** Tones of one series repeat after this many. */
const TONES = 8;

export function StageBar({ stages, legend }: { readonly stages: readonly CompileStage[]; readonly legend: boolean }): VNode {
  const text = stages.map(({ name, ms }) => `${name} ${milliseconds(ms)}`).join(', ');
  return (
    <div class="stages">
      <div class="stage-bar" role="img" aria-label={`Stages: ${text}`} title={text}>
        {stages.map(({ name, ms }, at) => (
          <div key={name} class={`stage tone-${at % TONES}`} style={{ flexGrow: String(Math.max(ms, 0)) }} />
        ))}
      </div>
      {legend && (
        <ul class="stage-legend">
          {stages.map(({ name, ms }, at) => (
            <li key={name}>
              <i class={`swatch tone-${at % TONES}`} />
              {name} <b>{milliseconds(ms)}</b>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
