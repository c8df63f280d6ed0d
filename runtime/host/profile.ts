/**
 * @file Profiles one example: runs it eagerly and traced, measures both, compares their results, and writes down what every
 * line, op and kernel cost. In: an example on an open device. Out: the profile document.
 */
import { readFileSync } from 'node:fs';
import { JitLensError } from '../errors.ts';
import { ReferenceBackend } from '../device/reference.ts';
import type { Node } from '../ir/graph.ts';
import type { Example } from '../jit/example.ts';
import { trace, type AnyFunction } from '../jit/trace.ts';
import { flattenTree } from '../jit/tree.ts';
import { GpuBackend } from '../kernels/eager.ts';
import { Module } from '../nn/module.ts';
import { manualSeed } from '../ops/random.ts';
import { withRecorder, type Recorder } from '../ops/recorder.ts';
import { noGrad } from '../ops/tape.ts';
import { advise } from '../profile/advice.ts';
import { PROFILE_FORMAT, PROFILE_VERSION, type ErrorCheck, type Profile, type Run, type Span } from '../profile/model.ts';
import { setCurrentBackend, type Backend } from '../tensor/backend.ts';
import type { HostArray } from '../tensor/dtype.ts';
import { scoped } from '../tensor/scope.ts';
import { VERSION } from '../version.ts';
import { difference } from './check.ts';
import type { Channel } from './channel.ts';
import { costOf, describeEager, describeNodes, describeTraced, tensorInfo, type EagerCost } from './describe.ts';
import { probeDevice } from './probe.ts';
import { measure, type Measured } from './measure.ts';

export interface ProfileOptions {
  readonly file: string;
  readonly name: string;
  readonly example: Example;
  readonly runs: number;
}

const SEED = 0;
/** More operations than this take the reference device too long. */
const REFERENCE_FLOPS = 1e9;

export async function profile(backend: Backend, options: ProfileOptions, channel: Channel): Promise<Profile> {
  const { example, file } = options;
  const span: Span = example.place ?? { file, line: 1, column: 1 };
  const measuring = { runs: options.runs, onRun: () => channel.progress() };

  channel.stage('inputs', 'Making the module and its inputs', 0.1);
  const large = backend.info.kind === 'gpu';
  const subject = instantiate(example, large);

  channel.stage('eager', 'Running eagerly', 0.2);
  await values(scoped(subject.call, storagesIn));
  channel.trusted();
  const eager = await measure(backend, () => void subject.call(), measuring);

  channel.stage('trace', 'Tracing and compiling', 0.5);
  const start = performance.now();
  const traced = subject.trace();
  const compileMs = performance.now() - start;
  const [compiled] = traced.info.compiled;
  if (!compiled) throw new JitLensError('JL-BUG', 'a trace was made and is gone');

  channel.stage('traced', 'Running traced', 0.6);
  const fast = await measure(backend, () => void traced.call(), measuring);

  channel.stage('check', 'Comparing with eager and with the reference', 0.85);
  const { recorded, plan } = compiled;
  const flops = recorded.nodes.reduce((sum, n) => sum + costOf(n).flops, 0);
  const changes = recorded.nodes.some((n) => n.kind === 'op' && n.op.inPlace !== undefined);
  const eagerValues = await secondCall(instantiate(example, large).call);
  const tracedValues = await values(instantiate(example, large).trace().call());
  const check = {
    ...checkOf(tracedValues, eagerValues),
    ...(await againstReference(tracedValues, options, { large, flops, changes })),
  };

  channel.stage('report', 'Writing the report', 0.95);
  const ops = perOp(recorded.nodes, backend, () => void subject.call());
  const nodes = describeNodes(recorded, plan, eagerCosts(ops, eager), span);
  const tracedKernels = plan ? describeTraced(plan, fast, span) : [];
  const kernels = [...tracedKernels, ...describeEager(ops, eager, span)];
  const total = (key: 'bytes' | 'flops', of: readonly { bytes: number; flops: number }[]) =>
    of.reduce((sum, x) => sum + x[key], 0);
  const runOf = (m: Measured, of: readonly { bytes: number; flops: number }[]): Run => ({
    ...m.run,
    bytes: total('bytes', of),
    flops: total('flops', of),
  });
  const runs = { eager: runOf(eager, nodes), traced: runOf(fast, plan ? tracedKernels : nodes) };
  const device = { ...backend.info, ...(await probeDevice(backend)) };
  return {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    jitlens: VERSION,
    createdAt: new Date().toISOString(),
    file,
    example: options.name,
    span: { file: span.file, line: span.line, column: span.column },
    device,
    inputs: recorded.nodes.filter((n) => n.kind === 'external' && n.role === 'input').map(tensorInfo),
    outputs: recorded.outputs.map(tensorInfo),
    runs,
    compile: { totalMs: compileMs, stages: stagesOf(compileMs, plan?.stages ?? []) },
    check,
    memory: {
      parameterBytes: recorded.nodes.reduce(
        (sum, n) => sum + (n.kind === 'external' && n.role === 'parameter' ? tensorInfo(n).bytes : 0),
        0,
      ),
      intermediateBytes: plan?.memory.intermediateBytes ?? 0,
      plannedBytes: plan?.memory.slots.reduce((sum, bytes) => sum + bytes, 0) ?? 0,
    },
    nodes,
    kernels,
    passes: plan?.optimised.reports ?? [],
    advice: advise(runs, device, tracedKernels),
    sources: sourcesOf([file, ...nodes.flatMap((n) => n.stack.map((f) => f.file))]),
  };
}

/** The example's module and inputs, made anew from the same seed. A module is used, not trained: nothing records gradients. */
function instantiate(example: Example, large: boolean) {
  manualSeed(SEED);
  const target = example.make();
  const inputs = (large ? example.inputs() : example.softwareInputs()) as never[];
  const quiet = target instanceof Module ? noGrad : <T>(body: () => T): T => body();
  const run = target instanceof Module ? (...args: never[]) => target.forward(...args) : target;
  return {
    call: (): unknown => quiet(() => run(...inputs)),
    trace: () => {
      const traced = quiet(() => trace(target as AnyFunction, inputs));
      return { info: traced.info, call: (): unknown => quiet(() => traced(...inputs)) };
    },
  };
}

/** What the second call gives: the first of a traced function is the one that is recorded, and calls may leave traces. */
function secondCall(call: () => unknown): Promise<HostArray[]> {
  call();
  return values(call());
}

function values(result: unknown): Promise<HostArray[]> {
  return Promise.all(flattenTree(result, 'the result').tensors.map((t) => t.data()));
}

function storagesIn(result: unknown) {
  return flattenTree(result, 'the result').tensors.map((t) => t.storage);
}

function checkOf(traced: readonly HostArray[], eager: readonly HostArray[]): ErrorCheck {
  const { relative, absolute } = difference(traced, eager);
  return { maxRelError: relative, maxAbsError: absolute };
}

/** Makes the example anew in float64, from the same seed, and compares. */
async function againstReference(
  traced: readonly HostArray[],
  options: ProfileOptions,
  { large, flops, changes }: { large: boolean; flops: number; changes: boolean },
): Promise<Partial<ErrorCheck>> {
  if (flops > REFERENCE_FLOPS) return { referenceSkipped: `${flops.toExponential(1)} operations take the reference too long` };
  const previous = setCurrentBackend(new ReferenceBackend());
  try {
    const { call } = instantiate(options.example, large);
    const expected = await (changes ? secondCall(call) : values(call()));
    return { maxRelErrorAgainstReference: difference(traced, expected).relative };
  } catch (error) {
    return { referenceSkipped: error instanceof Error ? error.message : String(error) };
  } finally {
    setCurrentBackend(previous);
  }
}

interface OpDispatches {
  readonly node: Node;
  readonly first: number;
  readonly count: number;
}

/** Which dispatches of an eager run belong to which recorded op: the run makes the same calls in the same order. */
function perOp(nodes: readonly Node[], backend: Backend, body: () => void): OpDispatches[] {
  if (!(backend instanceof GpuBackend)) return [];
  const { count } = backend.gpu;
  const start = count.dispatches;
  const ends: number[] = [];
  const counter: Recorder = {
    record: () => ends.push(count.dispatches - start),
    recordData: () => undefined,
    readMode: () => undefined,
    knows: () => true,
  };
  scoped(
    () => withRecorder(counter, body),
    () => [],
  );
  return nodes
    .filter((n) => n.kind === 'op')
    .map((node, i) => ({ node, first: ends[i - 1] ?? 0, count: (ends[i] ?? 0) - (ends[i - 1] ?? 0) }));
}

function eagerCosts(ops: readonly OpDispatches[], eager: Measured) {
  return new Map(
    ops.map(({ node, first, count }): [Node, EagerCost] => {
      const own = eager.dispatches?.slice(first, first + count);
      return [node, { dispatches: count, ms: own && count > 0 ? own.reduce((sum, d) => sum + d.ms, 0) : undefined }];
    }),
  );
}

/** What the plan did not spend was spent on running and recording the code. */
function stagesOf(total: number, stages: Profile['compile']['stages']): Profile['compile']['stages'] {
  const rest = total - stages.reduce((sum, s) => sum + s.ms, 0);
  return [{ name: 'record', ms: rest }, ...stages];
}

function sourcesOf(files: readonly string[]): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const file of new Set(files)) {
    try {
      sources[file] = readFileSync(file, 'utf8');
    } catch {
      // A frame without a file (code that was evaluated) has no text to show.
    }
  }
  return sources;
}
