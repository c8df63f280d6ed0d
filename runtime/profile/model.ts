/**
 * @file The profile document: what `jitlens profile --json` prints, a `.jlprof` file holds and the panel shows.
 * Everything is joined by ids: span ↔ node ↔ kernel ↔ dispatch. A figure that could not be had is absent, never 0.
 * Times are milliseconds, sizes bytes, rates per second; lines and columns count from 1, columns in UTF-16 units.
 */
import type { DType } from '../tensor/dtype.ts';
import type { Diagnostic } from './diagnostic.ts';

export type { Diagnostic } from './diagnostic.ts';

/** Raised when a field changes its meaning or goes; fields may be added without raising it. */
export const PROFILE_VERSION = 1;
export const PROFILE_FORMAT = 'jitlens.profile';

/** A place in the user's TypeScript. */
export interface Span {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type DeviceKind = 'gpu' | 'software' | 'reference';

export interface DeviceInfo {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly vendor?: string;
  readonly driver?: string;
  readonly features: readonly string[];
  readonly toggles: readonly string[];
  /** Smallest step the GPU clock was seen to make; absent where there are no timestamps. */
  readonly timerResolutionNs?: number;
  /** Measured by copying a large buffer: bytes read plus bytes written, per second. */
  readonly copyBytesPerSecond?: number;
}

export interface TensorInfo {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
}

/** One way of running the example, measured run-and-wait. */
export interface Run {
  readonly medianMs: number;
  readonly p10Ms: number;
  readonly p90Ms: number;
  readonly runs: number;
  readonly warmup: number;
  /** Kernels launched by one run. */
  readonly dispatches: number;
  /** Sum over the dispatches of one run, from timestamps. Only on a GPU: a software device has no GPU time. */
  readonly gpuMs?: number;
  /** The same sum on a software device: time in its kernels, on the CPU. */
  readonly softwareKernelMs?: number;
  /** Bytes read and written by the kernels of one run, by each op's cost rule. */
  readonly bytes: number;
  readonly flops: number;
  /** Largest amount of device memory held at once, inputs and parameters included. */
  readonly peakBytes?: number;
}

export interface CompileStage {
  readonly name: string;
  readonly ms: number;
}

export interface PassReport {
  readonly name: string;
  readonly doc: string;
  readonly ms: number;
  readonly nodesBefore: number;
  readonly nodesAfter: number;
}

/** One op as the user's code called it while it was traced. */
export interface ProfileNode {
  readonly id: string;
  readonly op: string;
  readonly kind: string;
  /** Where the call stands. */
  readonly span: Span;
  /** The chain of callers, innermost first; `span` is its first entry. */
  readonly stack: readonly (Span & { readonly function?: string })[];
  /** Attributes as text, e.g. `dim=1`. */
  readonly attributes: string;
  readonly inputs: readonly string[];
  readonly output: TensorInfo;
  /** The traced kernel that computes it; absent when no kernel does, `fate` says why. */
  readonly kernel?: string;
  readonly fate: 'kernel' | 'view' | 'folded' | 'shared' | 'unused' | 'input';
  readonly bytes: number;
  readonly flops: number;
  /** What the op cost when it ran by itself; GPU time or software-kernel time as in `Run`. */
  readonly eagerMs?: number;
  readonly eagerDispatches: number;
}

/** One dispatch of the traced plan, or one distinct kernel of the eager run. */
export interface ProfileKernel {
  readonly id: string;
  readonly name: string;
  readonly mode: 'eager' | 'traced';
  readonly nodes: readonly string[];
  /** The distinct lines its nodes come from, by descending number of nodes. */
  readonly spans: readonly Span[];
  readonly wgsl: string;
  /** For each line of `wgsl`, the id of the node that it computes for. */
  readonly wgslNodes: readonly (string | null)[];
  readonly schedule: string;
  readonly workgroups: readonly [number, number, number];
  readonly workgroupSize: readonly [number, number, number];
  readonly launches: number;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly bytes: number;
  readonly flops: number;
  /** All launches of one run together; GPU time or software-kernel time as in `Run`. Median over the runs. */
  readonly ms?: number;
  /** Why the next kernel is not part of this one. */
  readonly boundary?: string;
}

export interface Advice {
  readonly severity: 'info' | 'warning';
  readonly message: string;
  readonly span?: Span;
  readonly kernel?: string;
}

export interface ErrorCheck {
  /** For the output that is furthest off: the largest difference from eager over the largest magnitude in eager. */
  readonly maxRelError: number;
  readonly maxAbsError: number;
  /** The same against the float64 reference device; absent when that run was too long to make. */
  readonly maxRelErrorAgainstReference?: number;
  readonly referenceSkipped?: string;
}

export interface Profile {
  readonly format: typeof PROFILE_FORMAT;
  readonly version: typeof PROFILE_VERSION;
  readonly jitlens: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly file: string;
  readonly example: string;
  /** Where the example is written. */
  readonly span: Span;
  readonly device: DeviceInfo;
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  /** `traced` is the compiled run, scripted ones included. */
  readonly runs: { readonly eager: Run; readonly traced: Run };
  /** What the first traced call cost beyond a later one. */
  readonly compile: { readonly totalMs: number; readonly stages: readonly CompileStage[] };
  readonly check: ErrorCheck;
  readonly memory: { readonly parameterBytes: number; readonly intermediateBytes: number; readonly plannedBytes: number };
  readonly nodes: readonly ProfileNode[];
  readonly kernels: readonly ProfileKernel[];
  readonly passes: readonly PassReport[];
  readonly advice: readonly Advice[];
  /** How the example was compiled; traced where it is absent. */
  readonly compiledAs?: 'traced' | 'scripted';
  /** What a trace takes for granted; absent in older profiles. */
  readonly diagnostics?: readonly Diagnostic[];
  /** Text of every user file that a span names, as it was when it ran. */
  readonly sources: Readonly<Record<string, string>>;
}
