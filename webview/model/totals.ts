/**
 * @file The figures of the overview. In: the profile. Out: text for each figure, with the reason where one is absent.
 * A software device's time is always named as software time: there is no GPU time in such a profile.
 */
import type { DeviceInfo, Profile, Run } from '../../runtime/profile/model.ts';
import {
  ABSENT,
  bytes,
  clockTime,
  count,
  flops,
  milliseconds,
  percent,
  plural,
  range,
  relativeError,
  significant,
} from './format.ts';

export interface Figure {
  readonly key: 'traced' | 'eager' | 'busy' | 'dispatches' | 'bytes' | 'compile';
  readonly label: string;
  readonly value: string;
  /** What stands below it, one line each. */
  readonly details: readonly string[];
  /** What the figure is, or why there is none. */
  readonly hint: string;
  readonly tone?: 'good' | 'bad';
}

export interface Comparison {
  readonly text: string;
  readonly tone?: 'good' | 'bad';
}

type CompiledAs = NonNullable<Profile['compiledAs']>;

/** How the example was compiled. */
export function compiledAs(profile: Profile): CompiledAs {
  return profile.compiledAs ?? 'traced';
}

export function compiledName(profile: Profile): string {
  return compiledAs(profile) === 'scripted' ? 'Scripted' : 'Traced';
}

function spread(run: Run): string {
  return `p10–p90 ${range(run.p10Ms, run.p90Ms)}`;
}

/** Faster or slower, or neither where the bands of the two runs overlap. */
export function compare(eager: Run, traced: Run, as: CompiledAs = 'traced'): Comparison {
  if (!(eager.medianMs > 0) || !(traced.medianMs > 0)) return { text: ABSENT };
  const overlap = eager.p10Ms <= traced.p90Ms && traced.p10Ms <= eager.p90Ms;
  const ratio = eager.medianMs / traced.medianMs;
  if (overlap && ratio > 0.9 && ratio < 1.1) return { text: 'no faster, no slower: the spreads overlap' };
  if (ratio >= 1) return { text: `${as} is ${significant(ratio)}× faster`, tone: 'good' };
  return { text: `${as} is ${significant(1 / ratio)}× slower`, tone: 'bad' };
}

const noClock = 'This device gave no timestamps: only the wall time of a whole run is known.';

function busy(run: Run, device: DeviceInfo): Figure {
  const software = device.kind !== 'gpu';
  const ms = software ? run.softwareKernelMs : run.gpuMs;
  const label = software ? 'Software kernel time' : 'GPU busy';
  if (ms === undefined) return { key: 'busy', label, value: ABSENT, details: ['no timestamps'], hint: noClock };
  const share = percent(Math.min(1, ms / run.medianMs));
  const time = clockTime(ms, device.timerResolutionNs);
  if (software) {
    return {
      key: 'busy',
      label,
      value: time,
      details: [`${share} of the run`, 'on the CPU, no GPU took part'],
      hint: 'Sum over the kernels of one run, executed by the CPU. It says nothing about a GPU.',
    };
  }
  const gap = Math.max(0, run.medianMs - ms);
  return {
    key: 'busy',
    label,
    value: share,
    details: [`${time} in kernels`, `${milliseconds(gap)} outside them`],
    hint: 'Sum of the kernels’ GPU timestamps over the wall time of one run.',
  };
}

export function figures(profile: Profile): readonly Figure[] {
  const { runs, compile, device } = profile;
  const { eager, traced } = runs;
  const as = compiledAs(profile);
  const { text, tone } = compare(eager, traced, as);
  const wall = device.kind === 'gpu' ? 'Wall time' : 'Wall time on a software device';
  return [
    {
      key: 'traced',
      label: compiledName(profile),
      value: milliseconds(traced.medianMs),
      details: [spread(traced), `median of ${plural(traced.runs, 'run')}`],
      hint: `${wall} from the call to the finished result, after ${plural(traced.warmup, 'warm-up run')}.`,
    },
    {
      key: 'eager',
      label: 'Eager',
      value: milliseconds(eager.medianMs),
      details: [text, spread(eager)],
      hint: `${wall} of the same code op by op: median of ${plural(eager.runs, 'run')}.`,
      tone,
    },
    busy(traced, device),
    {
      key: 'dispatches',
      label: 'Dispatches',
      value: `${count(eager.dispatches)} → ${count(traced.dispatches)}`,
      details: [`eager → ${as}`, `${flops(traced.flops)} a run`],
      hint: 'Kernels launched by one run.',
    },
    {
      key: 'bytes',
      label: 'Memory traffic',
      value: bytes(traced.bytes),
      details: [`eager ${bytes(eager.bytes)}`, `peak ${bytes(traced.peakBytes)}`],
      hint:
        traced.peakBytes === undefined
          ? 'Bytes that the kernels of one run read and write, by cost rule. The peak was not recorded in this run.'
          : 'Bytes that the kernels of one run read and write, by cost rule; and the most device memory held at once.',
    },
    {
      key: 'compile',
      label: 'Compile',
      value: milliseconds(compile.totalMs),
      details: [paysOff(profile)],
      hint: `What the first ${as} call cost beyond a later one.`,
    },
  ];
}

/** After how many calls the compile has been earned back. */
function paysOff({ runs, compile }: Profile): string {
  const gain = runs.eager.medianMs - runs.traced.medianMs;
  return gain > 0
    ? `earned back after ${plural(Math.ceil(compile.totalMs / gain), 'call')}`
    : 'not earned back: no gain per call';
}

export interface ErrorLine {
  readonly against: string;
  readonly value: string;
  readonly hint: string;
}

export function errorLines(profile: Profile): readonly ErrorLine[] {
  const { check } = profile;
  return [
    {
      against: 'eager',
      value: relativeError(check.maxRelError),
      hint: `Largest |${compiledAs(profile)} − eager| / |eager| over all outputs. Largest absolute error: ${relativeError(check.maxAbsError)}.`,
    },
    {
      against: 'float64 reference',
      value: relativeError(check.maxRelErrorAgainstReference),
      hint: check.referenceSkipped ?? 'Largest relative error against the same ops in float64 on the CPU.',
    },
  ];
}
