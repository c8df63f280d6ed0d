/**
 * @file Which of a kernel's candidates runs. In: the candidates, the first of which should be the fastest. Out: the one that is,
 * once the device has tried them: what was found for the same texts on the same device is remembered, on disk too.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Runnable } from '../device/pipelines.ts';
import type { Outcome, Trial } from '../device/trial.ts';
import type { Node } from '../ir/graph.ts';
import { KeptText, nameOf } from '../kept-text.ts';
import type { Kernel } from '../kernels/kernel.ts';

type Candidates = readonly [Kernel<Node>, ...Kernel<Node>[]];

/** What runs, and the candidate that it is: of a trial under way, the one that it will be for all that is known. */
export interface Tried {
  readonly runnable: Runnable;
  readonly kernel: () => Kernel<Node>;
  /** Whether it will be this one from now on. */
  readonly isDecided: () => boolean;
}

const always = () => true;

/** By what was tried, in this process. */
const trials = new WeakMap<Gpu, Map<string, Trial>>();

/** `bytes` are those of what the kernel binds. */
export function tried(gpu: Gpu, candidates: Candidates, bytes: () => readonly number[]): Tried {
  const [first] = candidates;
  const pipelineOf = ({ form }: Kernel<Node>) => gpu.pipelines.get(form);
  if (candidates.length === 1) return { runnable: pipelineOf(first), kernel: () => first, isDecided: always };
  const facts = [gpu.info, candidates.map(({ text }) => [text.wgsl, text.workgroups])];
  const kept = KeptText.of('trials', () => facts);
  const earlier = parsed(kept?.read(), candidates.length);
  if (earlier) {
    const kernel = noted(candidates[earlier.fastest] ?? first, earlier);
    return { runnable: pipelineOf(kernel), kernel: () => kernel, isDecided: always };
  }
  const known = trials.get(gpu) ?? new Map<string, Trial>();
  trials.set(gpu, known);
  const name = nameOf(facts);
  const [one, ...others] = candidates.map((c) => ({ pipeline: pipelineOf(c), workgroups: c.text.workgroups }));
  const trial = known.get(name) ?? (one && gpu.fastest([one, ...others], bytes()));
  if (!trial) return { runnable: pipelineOf(first), kernel: () => first, isDecided: always };
  if (!known.has(name)) {
    void trial.settled.then(() => {
      if (trial.outcome) kept?.write(() => JSON.stringify(trial.outcome));
      // The next plan may find what it takes to try them.
      else known.delete(name);
    });
  }
  known.set(name, trial);
  const kernel = () => noted(candidates[trial.fastest] ?? first, trial.outcome);
  return { runnable: trial, kernel, isDecided: () => trial.outcome !== undefined };
}

/** The kernel with a word on how it was chosen. */
function noted(kernel: Kernel<Node>, outcome: Outcome | undefined): Kernel<Node> {
  if (!outcome) return kernel;
  const others = outcome.ms.flatMap((ms, i) => (ms === undefined || i === outcome.fastest ? [] : [us(ms)]));
  const own = outcome.ms[outcome.fastest];
  const note = own === undefined ? '' : `, ${us(own)} µs when tried, others ${others.join(', ')}`;
  return { ...kernel, schedule: `${kernel.schedule}${note}` };
}

const us = (ms: number): string => String(Number((ms * 1000).toPrecision(3)));

/** An outcome that was kept; undefined for what is none. */
function parsed(text: string | undefined, count: number): Outcome | undefined {
  if (text === undefined) return undefined;
  const { fastest, ms } = JSON.parse(text) as { readonly fastest: number; readonly ms: readonly (number | null)[] };
  return ms.length === count ? { fastest, ms: ms.map((t) => t ?? undefined) } : undefined;
}
