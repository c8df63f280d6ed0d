/**
 * @file What a profile runs: the example's module or function, eagerly, and compiled the way it is written: scripted where it says
 * so, else traced. In: an example. Out: both ways to call it, and what was compiled, in one form for both.
 */
import { invariant } from '../errors.ts';
import type { Frame } from '../frames.ts';
import type { Node } from '../ir/graph.ts';
import { stepsIn } from '../ir/program.ts';
import type { Plan } from '../jit/compile.ts';
import type { Example } from '../jit/example.ts';
import { trace, type AnyFunction } from '../jit/trace.ts';
import { Module } from '../nn/module.ts';
import { manualSeed } from '../ops/random.ts';
import { noGrad } from '../ops/tape.ts';
import { originalOf } from '../script/marks.ts';
import { infoOf } from '../script/module.ts';
import { eagerly, type Scripted, type ScriptInfo } from '../script/script.ts';

const SEED = 0;

export interface CompiledSubject {
  readonly as: 'traced' | 'scripted';
  call(): unknown;
  /** What the code called, as it called it. */
  readonly nodes: readonly Node[];
  readonly plans: readonly Plan[];
  /** Whether every kernel runs once, in order. */
  readonly straight: boolean;
  /** Where a run waits for the device. */
  readonly waits: readonly Frame[];
}

export interface Subject {
  readonly target: AnyFunction | Module;
  readonly inputs: readonly never[];
  /** Whether calls give promises. */
  readonly scripted: boolean;
  call(): unknown;
  compile(): Promise<CompiledSubject>;
}

/** The example's module and inputs, made anew from the same seed. A module is used, not trained: nothing records gradients. */
export function instantiate(example: Example, large: boolean): Subject {
  manualSeed(SEED);
  const target = example.make();
  const inputs = (large ? example.inputs() : example.softwareInputs()) as never[];
  const quiet = target instanceof Module ? noGrad : <T>(body: () => T): T => body();
  const run = target instanceof Module ? (...args: never[]) => target.forward(...args) : target;
  const scripted = originalOf(target instanceof Module ? target.forward : target) !== undefined;
  const call = (): unknown => quiet(() => run(...inputs));
  return {
    target,
    inputs,
    scripted,
    call: scripted ? () => eagerly(call) : call,
    compile: async () => {
      if (scripted) {
        await call();
        const info: unknown = target instanceof Module ? infoOf(target, 'forward') : Reflect.get(target, 'info');
        const [compiled] = invariant(info as ScriptInfo | undefined, 'what is scripted was compiled').compiled;
        return fromScript(call, invariant(compiled, 'a program was made'));
      }
      const traced = quiet(() => trace(target as AnyFunction, inputs));
      const compiled = invariant(traced.info.compiled[0], 'a trace was made');
      return {
        as: 'traced',
        call: () => quiet(() => traced(...inputs)),
        nodes: compiled.recorded.nodes,
        plans: compiled.plan ? [compiled.plan] : [],
        straight: true,
        waits: [],
      };
    },
  };
}

function fromScript(call: () => unknown, compiled: Scripted): CompiledSubject {
  const steps = [...stepsIn(compiled.program.body)];
  return {
    as: 'scripted',
    call,
    nodes: compiled.recorded().flatMap((graph) => graph.nodes),
    plans: compiled.plans(),
    straight: !steps.some((s) => s.kind === 'if' || s.kind === 'loop'),
    waits: steps.flatMap((s) => (s.kind === 'read' && s.stack[0] ? [s.stack[0]] : [])),
  };
}
