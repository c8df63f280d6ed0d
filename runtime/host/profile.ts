/**
 * @file Profiles one example: runs it eagerly and compiled, measures both, compares their results, and writes down what every
 * line, op and kernel cost. In: an example on an open device. Out: the profile document.
 */
import { readFileSync } from 'node:fs';
import { ReferenceBackend } from '../device/reference.ts';
import type { Node } from '../ir/graph.ts';
import type { Example } from '../jit/example.ts';
import { flattenTree } from '../jit/tree.ts';
import { GpuBackend } from '../kernels/eager.ts';
import { withRecorder, type Recorder } from '../ops/recorder.ts';
import { advise } from '../profile/advice.ts';
import {
  PROFILE_FORMAT,
  PROFILE_VERSION,
  type Advice,
  type Diagnostic,
  type ErrorCheck,
  type Profile,
  type Run,
  type Span,
  type TensorInfo,
} from '../profile/model.ts';
import { takenForGranted } from '../script/check-trace.ts';
import type { Coverage, Unrun } from '../script/coverage.ts';
import { setCurrentBackend, type Backend } from '../tensor/backend.ts';
import type { HostArray } from '../tensor/dtype.ts';
import { scoped } from '../tensor/scope.ts';
import { VERSION } from '../version.ts';
import { difference } from './check.ts';
import type { Channel } from './channel.ts';
import { costOf, describeEager, describeNodes, describeTraced, launched, tensorInfo, type EagerCost } from './describe.ts';
import { probeDevice } from './probe.ts';
import { measure, type Measured } from './measure.ts';
import { stagesOf } from './stages.ts';
import { instantiate, type CompiledSubject, type Subject } from './subject.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface ProfileOptions {
  readonly file: string;
  readonly name: string;
  readonly example: Example;
  readonly runs: number;
  /** Counts what runs since before the file was loaded. */
  readonly coverage: Coverage;
}

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
  const { scripted } = subject;
  options.coverage.take();
  await (scripted ? values(subject.call()) : values(scoped(subject.call, storagesIn)));
  const unrun = options.coverage.take();
  options.coverage.stop();
  channel.trusted();
  const eager = await measure(backend, subject.call, { ...measuring, waits: scripted });

  channel.stage('trace', scripted ? 'Compiling' : 'Tracing and compiling', 0.5);
  const start = performance.now();
  const compiled = await subject.compile();
  await Promise.all(compiled.plans.map((p) => p.ready));
  const compileMs = performance.now() - start;

  channel.stage('traced', `Running ${compiled.as}`, 0.6);
  const fast = await measure(backend, compiled.call, { ...measuring, waits: scripted });

  channel.stage('check', 'Comparing with eager and with the reference', 0.85);
  const recorded = compiled.nodes;
  const flops = recorded.reduce((sum, n) => sum + costOf(n).flops, 0);
  const changes = recorded.some((n) => n.kind === 'op' && n.op.inPlace !== undefined);
  const eagerValues = await secondCall(instantiate(example, large).call);
  const twin = await instantiate(example, large).compile();
  const results = await twin.call();
  const tracedValues = await values(results);
  const check = {
    ...checkOf(tracedValues, eagerValues),
    ...(await againstReference(tracedValues, options, { large, flops, changes })),
  };

  channel.stage('report', 'Writing the report', 0.95);
  // A scripted run makes other calls than the eager one, so that its ops' times are not known.
  const ops = scripted ? [] : perOp(recorded, backend, () => void subject.call());
  const groups = launched(compiled);
  const nodes = describeNodes(recorded, groups, eagerCosts(ops, eager), span);
  const tracedKernels = describeTraced(recorded, groups, compiled.straight, fast, span);
  const kernels = [...tracedKernels, ...describeEager(ops, eager, span)];
  const total = (key: 'bytes' | 'flops', of: readonly { bytes: number; flops: number }[]) =>
    of.reduce((sum, x) => sum + x[key], 0);
  const runOf = (m: Measured, of: readonly { bytes: number; flops: number }[]): Run => ({
    ...m.run,
    bytes: total('bytes', of),
    flops: total('flops', of),
  });
  const runs = { eager: runOf(eager, nodes), traced: runOf(fast, compiled.plans.length > 0 ? tracedKernels : nodes) };
  const device = { ...backend.info, ...(await probeDevice(backend)) };
  const stages = compiled.plans.flatMap((p) => p.stages);
  const diagnostics = scripted ? [] : grantedBy(instantiate(example, large), unrun);
  return {
    format: PROFILE_FORMAT,
    version: PROFILE_VERSION,
    jitlens: VERSION,
    createdAt: new Date().toISOString(),
    file,
    example: options.name,
    span: { file: span.file, line: span.line, column: span.column },
    device,
    compiledAs: compiled.as,
    inputs: flattenTree(subject.inputs, 'the inputs').tensors.map(infoOfTensor),
    outputs: flattenTree(results, 'the result').tensors.map(infoOfTensor),
    runs,
    compile: { totalMs: compileMs, stages: stagesOf(compileMs, stages) },
    check,
    memory: {
      parameterBytes: parameterBytes(recorded),
      intermediateBytes: compiled.plans.reduce((sum, p) => sum + p.memory.intermediateBytes, 0),
      plannedBytes: compiled.plans.reduce((sum, p) => sum + p.memory.slots.reduce((a, b) => a + b, 0), 0),
    },
    nodes,
    kernels,
    passes: compiled.plans.length === 1 ? (compiled.plans[0]?.optimised.reports ?? []) : [],
    advice: [...advise(runs, device, tracedKernels), ...waitsOf(compiled)],
    diagnostics,
    sources: sourcesOf([file, ...nodes.flatMap((n) => n.stack.map((f) => f.file)), ...diagnostics.map((d) => d.range.file)]),
  };
}

function infoOfTensor(x: Tensor): TensorInfo {
  return tensorInfo({ meta: { shape: x.shape, dtype: x.dtype } });
}

/** Each parameter once, however many graphs take it. */
function parameterBytes(nodes: readonly Node[]): number {
  const sizes = new Map<unknown, number>();
  for (const n of nodes) if (n.kind === 'external' && n.role === 'parameter') sizes.set(n.tensor, tensorInfo(n).bytes);
  return [...sizes.values()].reduce((a, b) => a + b, 0);
}

function waitsOf({ waits }: CompiledSubject): Advice[] {
  const lines = new Map(waits.map((at) => [`${at.file}:${at.line}`, at]));
  return [...lines.values()].map(({ file, line, column }) => ({
    severity: 'info',
    message: 'The run waits here for the device to read a value: what follows depends on it.',
    span: { file, line, column },
  }));
}

/** What the trace is only right for; nothing where that cannot be found out. */
function grantedBy({ target, inputs }: Subject, unrun: readonly Unrun[]): Diagnostic[] {
  try {
    return takenForGranted(target, inputs, unrun);
  } catch {
    return [];
  }
}

/** What the second call gives: the first of a traced function is the one that is recorded, and calls may leave traces. */
async function secondCall(call: () => unknown): Promise<HostArray[]> {
  await call();
  return values(call());
}

async function values(result: unknown): Promise<HostArray[]> {
  return Promise.all(flattenTree(await result, 'the result').tensors.map((t) => t.data()));
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
    outside: () => undefined,
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
