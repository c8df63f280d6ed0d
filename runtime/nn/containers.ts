/** @file Modules that hold others: in a row, in a list, by name. What they hold has the names `0`, `1`, … or its own. */
import { JitLensError } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Layer } from './layer.ts';
import { Module, type Named, type Parameter } from './module.ts';

function numbered<T>(items: readonly T[]): Named<T>[] {
  return items.map((item, i) => [String(i), item]);
}

function itemAt<T>(items: readonly T[], index: number, what: string): T {
  const item = items.at(index);
  if (item) return item;
  throw new JitLensError('JLT-RANGE', `${what} of ${items.length} has no item ${index}`, 'Count from 0, or from −1 at the end.');
}

function notCalled(name: string): JitLensError {
  return new JitLensError('JLT-OPERAND', `${name} has no forward`, 'Call the modules that it holds.');
}

/** A list of modules, called one by one by whoever holds it. */
export class ModuleList<M extends Module = Module> extends Module {
  readonly #items: M[];

  constructor(modules: Iterable<M> = []) {
    super();
    this.#items = [...modules];
  }

  override namedChildren(): Named<Module>[] {
    return numbered(this.#items);
  }

  get length(): number {
    return this.#items.length;
  }

  /** The module at `index`, which may count from the end. */
  at(index: number): M {
    return itemAt(this.#items, index, this.constructor.name);
  }

  append(module: M): this {
    this.#items.push(module);
    return this;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#items.values();
  }

  override forward(..._inputs: never[]): unknown {
    throw notCalled('ModuleList');
  }
}

/** Modules one after the other: each gets what the one before gave. */
export class Sequential extends ModuleList<Layer> {
  constructor(...modules: Layer[]) {
    super(modules);
  }

  override forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this) y = layer.forward(y);
    return y;
  }
}

/** Modules by name. */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly #items: Map<string, M>;

  constructor(modules: Readonly<Record<string, M>> = {}) {
    super();
    this.#items = new Map(Object.entries(modules));
  }

  override namedChildren(): Named<Module>[] {
    return [...this.#items];
  }

  get(name: string): M {
    const module = this.#items.get(name);
    if (module) return module;
    throw new JitLensError(
      'JLT-RANGE',
      `no module is called ‘${name}’`,
      `There are ${[...this.#items.keys()].join(', ') || 'none'}.`,
    );
  }

  set(name: string, module: M): this {
    this.#items.set(name, module);
    return this;
  }

  [Symbol.iterator](): Iterator<[string, M]> {
    return this.#items.entries();
  }

  override forward(): unknown {
    throw notCalled('ModuleDict');
  }
}

/** A list of parameters. */
export class ParameterList extends Module {
  readonly #items: Parameter[];

  constructor(parameters: Iterable<Parameter> = []) {
    super();
    this.#items = [...parameters];
  }

  protected override ownTensors(): Named<Parameter>[] {
    return numbered(this.#items);
  }

  get length(): number {
    return this.#items.length;
  }

  /** The parameter at `index`, which may count from the end. */
  at(index: number): Parameter {
    return itemAt(this.#items, index, 'ParameterList');
  }

  append(parameter: Parameter): this {
    this.#items.push(parameter);
    return this;
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.#items.values();
  }

  override forward(): unknown {
    throw notCalled('ParameterList');
  }
}
