/**
 * @file Runs one op eagerly. In: an op, its operands, its attributes. Out: the result, as a view or freshly computed, or
 * the first operand, changed. Every op a user calls comes through here, so this is also where a trace listens.
 */
import { JitLensError } from '../errors.ts';
import { currentBackend, type Backend, type Operand } from '../tensor/backend.ts';
import type { DType } from '../tensor/dtype.ts';
import { contiguous, type Layout } from '../tensor/layout.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { formOf, Tensor } from '../tensor/tensor.ts';
import { activeRecorder } from './recorder.ts';
import { checkSaved, countWrite } from './saved.ts';
import { formatAttributes, NO_ATTRIBUTES, type Attributes, type OpSpec } from './spec.ts';
import { activeTape } from './tape.ts';

export function apply(spec: OpSpec, inputs: readonly Operand[], attributes: Attributes = NO_ATTRIBUTES): Tensor {
  const recorder = activeRecorder();
  const device = recorder?.device;
  const backend = commonBackend(spec, inputs, device);
  const later = recorder?.later?.backend === backend ? recorder.later : undefined;
  const runner = later ?? backend;
  const out = spec.inPlace
    ? overwritten(spec.name, spec.inPlace, inputs, attributes, device ? undefined : runner)
    : produced(runner, spec, inputs, attributes);
  recorder?.record(spec, inputs, attributes, out);
  return out;
}

type Runner = Pick<Backend, 'allocate' | 'execute'>;

function produced(runner: Runner, spec: OpSpec, inputs: readonly Operand[], attributes: Attributes): Tensor {
  const [first] = inputs;
  if (spec.kind === 'move' && spec.view && first instanceof Tensor) {
    const layout = spec.view(first.layout, attributes);
    if (layout) return new Tensor(first.storage, layout);
    if (!spec.map) {
      throw new JitLensError(
        'JLT-VIEW',
        `${spec.name}: a tensor of shape ${formatShape(first.shape)} with strides ${formatShape(first.strides)} has no such view`,
        'Use reshape(), or contiguous() first; both copy.',
      );
    }
  }
  const meta = infer(spec, inputs, attributes);
  const out = new Tensor(runner.allocate(meta.dtype, meta.layout.shape), meta.layout, meta.form);
  runner.execute(spec, inputs, attributes, out);
  return out;
}

interface Inferred {
  readonly dtype: DType;
  readonly layout: Layout;
  readonly form: number;
}

/** What calls gave before: an op that is called again with operands of the same form need not be asked again. */
const inferred = new Map<OpSpec, Map<string, Inferred>>();
const REMEMBERED_FORMS = 1024;

function infer(spec: OpSpec, inputs: readonly Operand[], attributes: Attributes): Inferred {
  let known = inferred.get(spec);
  if (!known) inferred.set(spec, (known = new Map<string, Inferred>()));
  let key = formatAttributes(attributes);
  for (const x of inputs) key += typeof x === 'number' ? `;${Number.isInteger(x)}` : `;${x.form}`;
  const before = known.get(key);
  if (before) return before;
  const { shape, dtype } = spec.infer(inputs, attributes);
  const layout = contiguous(shape);
  const made = { dtype, layout, form: formOf(dtype, layout) };
  if (known.size >= REMEMBERED_FORMS) known.clear();
  known.set(key, made);
  return made;
}

function overwritten(
  name: string,
  base: OpSpec,
  inputs: readonly Operand[],
  attributes: Attributes,
  runner: Runner | undefined,
): Tensor {
  const [target] = inputs;
  if (!(target instanceof Tensor))
    throw new JitLensError('JLT-INPLACE', `${name}: the first operand must be a tensor`, 'Call it on one.');
  const meta = base.infer(inputs, attributes);
  if (!sameShape(meta.shape, target.shape)) {
    throw new JitLensError(
      'JL410',
      `${name}: the result has shape ${formatShape(meta.shape)}, the tensor that is written ${formatShape(target.shape)}`,
      `An in-place op keeps its tensor's shape; use ${name.replace(/_$/, '')}() for a new one.`,
    );
  }
  if (target.layout.strides.some((stride, d) => stride === 0 && (target.shape[d] ?? 1) > 1)) {
    throw new JitLensError(
      'JLT-INPLACE',
      `${name}: several elements of an expanded tensor share one place`,
      'Call contiguous() first.',
    );
  }
  activeTape()?.beforeWrite(name, inputs);
  if (!runner) return target;
  runner.execute(base, inputs, attributes, target);
  countWrite(target.storage);
  return target;
}

function commonBackend(spec: OpSpec, inputs: readonly Operand[], device: Backend | undefined): Backend {
  let backend = device;
  for (const input of inputs) {
    if (typeof input === 'number') continue;
    if (!(input instanceof Tensor)) {
      throw new JitLensError(
        'JLT-OPERAND',
        `${spec.name}: ${describe(input)} is not a tensor or a number`,
        'Wrap data with tensor(...).',
      );
    }
    checkSaved(input);
    backend ??= input.storage.backend;
    if (!device && backend !== input.storage.backend) {
      throw new JitLensError(
        'JLT-DEVICE',
        `${spec.name}: operands are on ${backend.info.name} and on ${input.storage.backend.info.name}`,
        'Make them on one device.',
      );
    }
  }
  return backend ?? currentBackend();
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
