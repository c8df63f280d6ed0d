/**
 * @file Module: a thing with parameters and a `forward`. What it holds in its fields (parameters, buffers, other modules,
 * lists of these) is found by looking; nothing has to be registered. Names of fields are the keys of its state.
 */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { noGrad } from '../ops/tape.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { hooksOf, type BackwardHook, type ForwardHook, type ForwardPreHook } from './hooks.ts';
import { summaryOf } from './summary.ts';

/** A tensor that training changes. */
export class Parameter extends Tensor {
  constructor(value: Tensor) {
    super(value.storage, value.layout);
    this.requiresGrad = true;
  }
}

/** A tensor that belongs to a module's state and is not trained, such as a running mean. */
export class Buffer extends Tensor {
  /** Whether it is part of `stateDict()`. */
  readonly persistent: boolean;

  constructor(value: Tensor, options: { readonly persistent?: boolean } = {}) {
    super(value.storage, value.layout);
    this.persistent = options.persistent ?? true;
  }
}

export type Named<T> = [name: string, value: T];
export type StateDict = Readonly<Record<string, Tensor>>;

export abstract class Module {
  private mode = true;

  /** Whether layers that differ between training and use (dropout, batch norm) behave as in training. */
  get training(): boolean {
    activeRecorder()?.readMode(this);
    return this.mode;
  }
  set training(mode: boolean) {
    this.mode = mode;
  }

  abstract forward(...inputs: never[]): unknown;

  /** The modules in its fields, by name: `layer`, and `layers.0` for one in a list. */
  namedChildren(): Named<Module>[] {
    return fields(this).filter((entry): entry is Named<Module> => entry[1] instanceof Module);
  }

  children(): Module[] {
    return this.namedChildren().map(([, child]) => child);
  }

  /** Itself, under the empty name, and all modules inside, by dotted name; each once. */
  namedModules(): Named<Module>[] {
    return once([['', this], ...this.namedChildren().flatMap(([name, child]) => prefixed(name, child.namedModules()))]);
  }

  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Its parameters and those of the modules inside, by dotted name; each once, under its first name. */
  namedParameters(): Named<Parameter>[] {
    return once(this.namedTensors().filter((entry): entry is Named<Parameter> => entry[1] instanceof Parameter));
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Its buffers and those of the modules inside, by dotted name; each once, under its first name. */
  namedBuffers(): Named<Buffer>[] {
    return once(this.namedTensors().filter((entry): entry is Named<Buffer> => entry[1] instanceof Buffer));
  }

  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /** Parameters and buffers in its own fields. */
  protected ownTensors(): Named<Parameter | Buffer>[] {
    return fields(this).filter(
      (entry): entry is Named<Parameter | Buffer> => entry[1] instanceof Parameter || entry[1] instanceof Buffer,
    );
  }

  /** @internal All parameters and buffers; one that is shared comes once for each of its names. */
  namedTensors(): Named<Parameter | Buffer>[] {
    return [...this.ownTensors(), ...this.namedChildren().flatMap(([name, child]) => prefixed(name, child.namedTensors()))];
  }

  /** Sets it and all modules inside to training. Returns it. */
  train(mode = true): this {
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }

  /** Sets it and all modules inside to use. Returns it. */
  eval(): this {
    return this.train(false);
  }

  /** Says for all its parameters whether gradients are wanted. Returns it. */
  requiresGrad_(wanted = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(wanted);
    return this;
  }

  /** Forgets the gradients of all its parameters. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.leaveGrad(undefined);
  }

  /** Calls `fn` with every module inside, then with itself. Returns it. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /** Parameters and persistent buffers by dotted name. The tensors share the module's memory: `clone()` what is to stay. */
  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.state().map(([name, x]) => [name, x.detach()]));
  }

  /**
   * Copies `state` into parameters and buffers of the same names. Errors: JLT-STATE, with all names that are missing, not
   * known, or of another shape; nothing is copied then. `strict: false` lets names be missing or not known.
   */
  loadStateDict(state: StateDict, options: { readonly strict?: boolean } = {}): { missing: string[]; unexpected: string[] } {
    const own = this.state();
    const names = new Set(own.map(([name]) => name));
    const missing = own.flatMap(([name]) => (name in state ? [] : [name]));
    const unexpected = Object.keys(state).filter((name) => !names.has(name));
    const pairs = own.flatMap(([name, target]) => {
      const source = state[name];
      return source ? [{ name, target, source }] : [];
    });
    const misshaped = pairs
      .filter(({ target, source }) => !sameShape(target.shape, source.shape))
      .map(
        ({ name, target, source }) => `${name} has shape ${formatShape(source.shape)} instead of ${formatShape(target.shape)}`,
      );
    const strict = options.strict ?? true;
    const wrong = [
      ...(strict && missing.length > 0 ? [`missing: ${missing.join(', ')}`] : []),
      ...(strict && unexpected.length > 0 ? [`unexpected: ${unexpected.join(', ')}`] : []),
      ...misshaped,
    ];
    if (wrong.length > 0) {
      throw new JitLensError(
        'JLT-STATE',
        `loadStateDict of ${this.constructor.name}: ${wrong.join('; ')}`,
        'Load what stateDict() of the same module gave, or pass { strict: false } to let names differ.',
      );
    }
    noGrad(() => {
      for (const { target, source } of pairs) target.copy_(source);
    });
    return { missing, unexpected };
  }

  private state(): Named<Parameter | Buffer>[] {
    return this.namedTensors().filter(([, x]) => !(x instanceof Buffer) || x.persistent);
  }

  /** Calls `hook` before every `forward`; what it returns takes the inputs' place. */
  registerForwardPreHook(hook: ForwardPreHook): { remove(): void } {
    return hooksOf(this).add('before', hook);
  }

  /** Calls `hook` after every `forward`; what it returns, unless undefined, takes the output's place. */
  registerForwardHook(hook: ForwardHook): { remove(): void } {
    return hooksOf(this).add('after', hook);
  }

  /**
   * Calls `hook` when the gradients of a call's inputs are known, with these and with those of its outputs; what it returns
   * takes the inputs' gradients' place. Inputs and outputs are then views, and may not be written in place.
   */
  registerFullBackwardHook(hook: BackwardHook): { remove(): void } {
    return hooksOf(this).add('backward', hook);
  }

  /** A table of the modules inside: their output shapes for these inputs, in use, and their parameters. */
  summary(...inputs: Parameters<this['forward']>): string {
    return summaryOf(this, inputs);
  }
}

/** Fields with lists opened. */
function fields(module: Module): Named<unknown>[] {
  return Object.entries(module).flatMap(([name, value]: [string, unknown]) =>
    Array.isArray(value)
      ? value.map((item: unknown, i): Named<unknown> => [`${name}.${i}`, item])
      : [[name, value] as Named<unknown>],
  );
}

function prefixed<T>(prefix: string, entries: readonly Named<T>[]): Named<T>[] {
  return entries.map(([name, value]) => [name === '' ? prefix : `${prefix}.${name}`, value]);
}

function once<T>(entries: readonly Named<T>[]): Named<T>[] {
  const seen = new Set<T>();
  return entries.filter(([, value]) => !seen.has(value) && seen.add(value));
}
