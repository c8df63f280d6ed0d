/**
 * @file A program: graphs of tensor ops and the control flow between them. In: what scripting made of a function. Out: what
 * runs. Values are assigned once; a block gives its results explicitly, and inner blocks see the values of outer ones.
 * Numbers and truth values that are known only at run time are computed on the host, in JavaScript's own arithmetic.
 */
import type { Frame } from '../frames.ts';
import type { Meta } from '../ops/spec.ts';
import type { Layout } from '../tensor/layout.ts';
import type { Graph } from './graph.ts';

export type ScalarType = 'number' | 'boolean' | 'string';

/** Something that exists when the program runs. */
export interface Value {
  readonly id: number;
  readonly type: 'tensor' | ScalarType;
  /** Of a tensor: its shape and dtype, and how its elements lie in its memory. */
  readonly meta?: Meta;
  readonly layout?: Layout;
  /** The code's name for it, where it has one. */
  readonly name?: string;
  /** What errors call it, where that is not its name. */
  readonly title?: string;
}

export type Argument = Value | { readonly constant: unknown };

/** What a block gives at its end, in the order of the outputs of the step that holds it. */
export interface Block {
  readonly steps: Step[];
  readonly yields: Argument[];
}

interface At {
  /** The chain of callers in the user's code, innermost first. */
  readonly stack: readonly Frame[];
}

/** Tensor ops without control flow: compiled as one plan. Input `i` of the graph is `inputs[i]`. */
export interface SegmentStep {
  readonly kind: 'segment';
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A computation on the host. */
export interface HostStep extends At {
  readonly kind: 'host';
  readonly name: string;
  readonly compute: (...values: never[]) => unknown;
  readonly inputs: readonly Argument[];
  readonly output: Value;
}

/** Waits for the device and reads a tensor of one element. */
export interface ReadStep extends At {
  readonly kind: 'read';
  readonly input: Argument;
  readonly output: Value;
}

/** A number that becomes a tensor without dims. */
export interface LiftStep extends At {
  readonly kind: 'lift';
  readonly input: Value;
  readonly output: Value;
}

export interface IfStep extends At {
  readonly kind: 'if';
  readonly condition: Value;
  readonly then: Block;
  readonly otherwise: Block;
  readonly outputs: readonly Value[];
}

/**
 * Runs `body` as long as it lasts: at most `trips` times where that is given, while `enter`, then `again`, hold where they are.
 * `params` start as `initial` and take over the first yields; what else the body yields is given as outputs only.
 */
export interface LoopStep extends At {
  readonly kind: 'loop';
  readonly trips?: Argument;
  readonly enter?: Argument;
  readonly index: Value;
  readonly params: readonly Value[];
  readonly initial: readonly Argument[];
  readonly body: Block;
  readonly again?: Argument;
  /** Copies of the source's body in one turn. */
  readonly copies: number;
  /** The params' last values, then those of the further yields. */
  readonly outputs: readonly Value[];
}

/** Something that is seen outside: printed, thrown, called, stored. */
export interface EffectStep extends At {
  readonly kind: 'effect';
  readonly name: 'print' | 'raise' | 'call' | 'store';
  readonly inputs: readonly Argument[];
  readonly run: (...values: unknown[]) => void;
}

export type Step = SegmentStep | HostStep | ReadStep | LiftStep | IfStep | LoopStep | EffectStep;

export interface Program {
  readonly inputs: readonly Value[];
  readonly body: Block;
}

export function isValue(x: Argument): x is Value {
  return 'id' in x;
}

/** The blocks inside a step. */
export function blocksOf(step: Step): readonly Block[] {
  if (step.kind === 'if') return [step.then, step.otherwise];
  return step.kind === 'loop' ? [step.body] : [];
}

/** Every step, outer ones before what is inside them. */
export function* stepsIn(block: Block): Generator<Step> {
  for (const step of block.steps) {
    yield step;
    for (const inner of blocksOf(step)) yield* stepsIn(inner);
  }
}

/** Values that a step uses itself, without the blocks inside it. */
export function argumentsOf(step: Step): readonly Argument[] {
  switch (step.kind) {
    case 'segment':
    case 'host':
    case 'effect':
      return step.inputs;
    case 'read':
    case 'lift':
      return [step.input];
    case 'if':
      return [step.condition];
    case 'loop':
      return [step.trips, step.enter, ...step.initial].filter((x) => x !== undefined);
  }
}
