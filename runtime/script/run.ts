/**
 * @file Runs a program. In: the tensors of a call. Out: what the program yields. Graphs run as compiled plans; numbers and control flow
 * in between on the host, which waits only where the code reads a tensor.
 */
import { invariant, JitLensError } from '../errors.ts';
import { executable, type Executable } from '../jit/execute.ts';
import type { FamilyOf } from '../jit/signatures.ts';
import {
  isValue,
  stepsIn,
  type Argument,
  type Block,
  type LoopStep,
  type Program,
  type Step,
  type Value,
} from '../ir/program.ts';
import type { Backend } from '../tensor/backend.ts';
import { tensor } from '../tensor/create.ts';
import { isFloat } from '../tensor/dtype.ts';
import { sameLayout } from '../tensor/layout.ts';
import { sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import type { SegmentStep } from '../ir/program.ts';

/** Gives tensors to be read, takes their values. */
type Running<T> = Generator<Tensor, T, number>;

export interface Ran {
  readonly yields: readonly unknown[];
  /** The values that were read, in order. */
  readonly reads: readonly number[];
}

export class Runner {
  private readonly graphs = new Map<SegmentStep, Executable>();

  constructor(
    private readonly program: Program,
    backend: Backend,
    without?: readonly string[],
    family?: FamilyOf,
  ) {
    for (const step of stepsIn(program.body))
      if (step.kind === 'segment') this.graphs.set(step, executable(step.graph, backend, without, family?.(this.graphs.size)));
  }

  /** Its graphs, in the order of the program. */
  get executables(): readonly Executable[] {
    return [...this.graphs.values()];
  }

  /** A program without reads. `states` are the values of the module's fields. */
  now(inputs: readonly Tensor[], states: ReadonlyMap<Value, unknown>): Ran {
    const running = this.start(inputs, states);
    const { value, done } = running.next();
    return { yields: invariant(done && value, 'a program that reads is async'), reads: [] };
  }

  /** A program that may wait for the device. */
  async waiting(inputs: readonly Tensor[], states: ReadonlyMap<Value, unknown>): Promise<Ran> {
    const running = this.start(inputs, states);
    const reads: number[] = [];
    for (let step = running.next(); ;) {
      if (step.done) return { yields: step.value, reads };
      const value = await step.value.item();
      reads.push(value);
      step = running.next(value);
    }
  }

  private *start(inputs: readonly Tensor[], states: ReadonlyMap<Value, unknown>): Running<readonly unknown[]> {
    const values = new Map<Value, unknown>(states);
    this.program.inputs.forEach((value, i) => values.set(value, inputs[i]));
    return yield* this.block(this.program.body, values);
  }

  private *block({ steps, yields }: Block, values: Map<Value, unknown>): Running<unknown[]> {
    for (const step of steps) yield* this.step(step, values);
    return yields.map((x) => valueOf(x, values));
  }

  private *step(step: Step, values: Map<Value, unknown>): Running<void> {
    switch (step.kind) {
      case 'segment':
        this.segment(step, values);
        return;
      case 'host':
        values.set(step.output, step.compute(...(step.inputs.map((x) => valueOf(x, values)) as never[])));
        return;
      case 'lift':
        values.set(step.output, this.lifted(valueOf(step.input, values) as number, step.output));
        return;
      case 'read':
        values.set(step.output, yield valueOf(step.input, values) as Tensor);
        return;
      case 'effect':
        step.run(...step.inputs.map((x) => valueOf(x, values)));
        return;
      case 'if': {
        const given = yield* this.block(valueOf(step.condition, values) === true ? step.then : step.otherwise, values);
        step.outputs.forEach((x, i) => values.set(x, given[i]));
        return;
      }
      case 'loop':
        return yield* this.loop(step, values);
    }
  }

  private segment(step: SegmentStep, values: Map<Value, unknown>): void {
    const inputs = step.inputs.map((x) => {
      const given = valueOf(x, values);
      if (!(given instanceof Tensor) || !fits(given, x))
        throw new JitLensError(
          'JL-BUG',
          `JitLens broke its own rule: ${x.name ?? 'a value'} is not as it was compiled`,
          'Please report this.',
        );
      return given;
    });
    const outputs = invariant(this.graphs.get(step), 'a graph is compiled').run(inputs);
    step.outputs.forEach((x, i) => values.set(x, outputs[i]));
  }

  private lifted(x: number, { meta }: Value): Tensor {
    const { dtype } = invariant(meta, 'a tensor has a dtype');
    if (isFloat(dtype) || Number.isInteger(x)) return tensor(x, { dtype });
    throw new JitLensError('JL109', `${x} takes part in arithmetic of ${dtype} tensors`, 'Convert the tensor to float32 before.');
  }

  private *loop(step: LoopStep, values: Map<Value, unknown>): Running<void> {
    const trips = step.trips ? (valueOf(step.trips, values) as number) : Infinity;
    let carried: unknown[] = step.initial.map((x) => valueOf(x, values));
    let goes = step.enter ? valueOf(step.enter, values) === true : true;
    for (let turn = 0; goes && turn < trips; turn++) {
      values.set(step.index, turn);
      step.params.forEach((param, i) => values.set(param, carried[i]));
      carried = yield* this.block(step.body, values);
      goes = step.again ? valueOf(step.again, values) === true : true;
    }
    step.outputs.forEach((x, i) => values.set(x, carried[i]));
  }
}

function valueOf(x: Argument, values: ReadonlyMap<Value, unknown>): unknown {
  return isValue(x) ? values.get(x) : x.constant;
}

/** What the compiler knew of a tensor holds for the one that is there. */
function fits(x: Tensor, { meta, layout }: Value): boolean {
  return (
    meta !== undefined &&
    x.dtype === meta.dtype &&
    sameShape(x.shape, meta.shape) &&
    (layout === undefined || sameLayout(x.layout, layout))
  );
}
