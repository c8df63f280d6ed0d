/**
 * @file Whether a value is a profile document of this version. In: what arrived in a message. Out: yes or no.
 * Ids that name nothing and figures that are absent are the views' business; wrong types never get that far.
 */
import type {
  Advice,
  Diagnostic,
  ErrorCheck,
  Profile,
  ProfileKernel,
  ProfileNode,
  Run,
  Span,
  TensorInfo,
} from '../../runtime/profile/model.ts';
import {
  arrayOf,
  isBoolean,
  isNumber,
  isObject,
  isString,
  nullable,
  oneOf,
  optional,
  recordOf,
  shape,
  tupleOf3,
  type Check,
} from './checks.ts';

const span = { file: isString, line: isNumber, column: isNumber };
export const isSpan = shape<Span>(span);

const isTensor = shape<TensorInfo>({
  shape: arrayOf(isNumber),
  dtype: oneOf('float64', 'float32', 'float16', 'int32', 'uint32', 'bool'),
  bytes: isNumber,
});

const isRun = shape<Run>({
  medianMs: isNumber,
  p10Ms: isNumber,
  p90Ms: isNumber,
  runs: isNumber,
  warmup: isNumber,
  dispatches: isNumber,
  gpuMs: optional(isNumber),
  softwareKernelMs: optional(isNumber),
  bytes: isNumber,
  flops: isNumber,
  peakBytes: optional(isNumber),
});

const isNode = shape<ProfileNode>({
  id: isString,
  op: isString,
  kind: isString,
  span: isSpan,
  stack: arrayOf(shape<ProfileNode['stack'][number]>({ ...span, function: optional(isString) })),
  attributes: isString,
  inputs: arrayOf(isString),
  output: isTensor,
  kernel: optional(isString),
  fate: oneOf('kernel', 'view', 'folded', 'shared', 'unused', 'input'),
  bytes: isNumber,
  flops: isNumber,
  eagerMs: optional(isNumber),
  eagerDispatches: isNumber,
});

const isKernel = shape<ProfileKernel>({
  id: isString,
  name: isString,
  mode: oneOf('eager', 'traced'),
  nodes: arrayOf(isString),
  spans: arrayOf(isSpan),
  wgsl: isString,
  wgslNodes: arrayOf(nullable(isString)),
  schedule: isString,
  workgroups: tupleOf3(isNumber),
  workgroupSize: tupleOf3(isNumber),
  launches: isNumber,
  inputs: arrayOf(isTensor),
  outputs: arrayOf(isTensor),
  bytes: isNumber,
  flops: isNumber,
  ms: optional(isNumber),
  boundary: optional(isString),
});

const isRange = shape<Diagnostic['range']>({
  file: isString,
  start: shape<Diagnostic['range']['start']>({ line: isNumber, column: isNumber }),
  end: shape<Diagnostic['range']['end']>({ line: isNumber, column: isNumber }),
});

const isDiagnostic = shape<Diagnostic>({
  code: isString,
  severity: oneOf('error', 'warning', 'hint'),
  message: isString,
  range: isRange,
  related: arrayOf(shape<Diagnostic['related'][number]>({ message: isString, range: isRange })),
  fixes: arrayOf(
    shape<Diagnostic['fixes'][number]>({
      title: isString,
      alone: optional(isBoolean),
      edits: arrayOf(shape<Diagnostic['fixes'][number]['edits'][number]>({ range: isRange, text: isString })),
    }),
  ),
});

const fields: { readonly [K in keyof Profile]-?: Check<Profile[K]> } = {
  format: oneOf('jitlens.profile'),
  version: oneOf(1),
  jitlens: isString,
  createdAt: isString,
  file: isString,
  example: isString,
  span: isSpan,
  device: shape<Profile['device']>({
    name: isString,
    kind: oneOf('gpu', 'software', 'reference'),
    vendor: optional(isString),
    driver: optional(isString),
    features: arrayOf(isString),
    toggles: arrayOf(isString),
    timerResolutionNs: optional(isNumber),
    copyBytesPerSecond: optional(isNumber),
  }),
  compiledAs: optional(oneOf('traced', 'scripted')),
  diagnostics: optional(arrayOf(isDiagnostic)),
  inputs: arrayOf(isTensor),
  outputs: arrayOf(isTensor),
  runs: shape<Profile['runs']>({ eager: isRun, traced: isRun }),
  compile: shape<Profile['compile']>({
    totalMs: isNumber,
    stages: arrayOf(shape<Profile['compile']['stages'][number]>({ name: isString, ms: isNumber })),
  }),
  check: shape<ErrorCheck>({
    maxRelError: isNumber,
    maxAbsError: isNumber,
    maxRelErrorAgainstReference: optional(isNumber),
    referenceSkipped: optional(isString),
  }),
  memory: shape<Profile['memory']>({ parameterBytes: isNumber, intermediateBytes: isNumber, plannedBytes: isNumber }),
  nodes: arrayOf(isNode),
  kernels: arrayOf(isKernel),
  passes: arrayOf(
    shape<Profile['passes'][number]>({
      name: isString,
      doc: isString,
      ms: isNumber,
      nodesBefore: isNumber,
      nodesAfter: isNumber,
    }),
  ),
  advice: arrayOf(
    shape<Advice>({ severity: oneOf('info', 'warning'), message: isString, span: optional(isSpan), kernel: optional(isString) }),
  ),
  sources: recordOf(isString),
};

export const isProfile = shape<Profile>(fields);

/** The first field that keeps a value from being a profile, for the message that says so. */
export function damagedField(value: unknown): string | undefined {
  if (!isObject(value)) return 'the document';
  return Object.entries<Check<unknown>>(fields).find(([name, check]) => !check(value[name]))?.[0];
}
