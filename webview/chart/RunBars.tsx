/**
 * @file Eager and compiled on one scale. In: the profile. Out: a bar for each median, its part in kernels filled, and the
 * spread from p10 to p90 as a whisker.
 */
import type { VNode } from 'preact';
import type { Profile, Run } from '../../runtime/profile/model.ts';
import { milliseconds, range } from '../model/format.ts';
import { compiledAs } from '../model/totals.ts';

interface BarProps {
  readonly name: string;
  readonly run: Run;
  readonly scaleMs: number;
}

function Bar({ name, run, scaleMs }: BarProps): VNode {
  const part = (ms: number): string => `${Math.min(100, (ms / scaleMs) * 100)}%`;
  const kernels = run.gpuMs ?? run.softwareKernelMs;
  const spread = `p10–p90 ${range(run.p10Ms, run.p90Ms)}`;
  return (
    <div class="run" title={spread}>
      <span class="run-name">{name}</span>
      <div class="run-track" aria-hidden="true">
        <div class="run-bar" style={{ width: part(run.medianMs) }} />
        {kernels !== undefined && <div class="run-kernels" style={{ width: part(Math.min(kernels, run.medianMs)) }} />}
        <div class="run-spread" style={{ left: part(run.p10Ms), width: part(Math.max(0, run.p90Ms - run.p10Ms)) }} />
      </div>
      <span class="run-value">{milliseconds(run.medianMs)}</span>
    </div>
  );
}

export function RunBars({ profile }: { readonly profile: Profile }): VNode {
  const { eager, traced } = profile.runs;
  const scaleMs = Math.max(eager.p90Ms, traced.p90Ms, Number.MIN_VALUE);
  const timed = [eager, traced].some((run) => run.gpuMs !== undefined || run.softwareKernelMs !== undefined);
  return (
    <div class="runs">
      <Bar name="eager" run={eager} scaleMs={scaleMs} />
      <Bar name={compiledAs(profile)} run={traced} scaleMs={scaleMs} />
      <p class="muted key">
        {timed && (
          <span>
            <i class="swatch in-kernels" />
            {profile.device.kind === 'gpu' ? 'in GPU kernels' : 'in software kernels'}
          </span>
        )}
        <span>
          <i class="swatch outside" />
          {timed ? 'outside of kernels' : 'wall time'}
        </span>
        <span>
          <i class="swatch spread" />
          p10–p90
        </span>
      </p>
    </div>
  );
}
