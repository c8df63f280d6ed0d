/**
 * @file Module: a thing with parameters and a `forward`. What it holds in its fields (parameters, other modules, lists of
 * modules) is found by looking; nothing has to be registered.
 */
import { Tensor } from '../tensor/tensor.ts';

/** A tensor that training changes. */
export class Parameter extends Tensor {
  constructor(value: Tensor) {
    super(value.storage, value.layout);
    this.requiresGrad = true;
  }
}

export abstract class Module {
  /** Whether layers that differ between training and use (dropout, batch norm) behave as in training. */
  training = true;

  abstract forward(...inputs: never[]): unknown;

  /** The modules in its fields, by name. */
  children(): [name: string, module: Module][] {
    return Object.entries(this).flatMap(([name, value]: [string, unknown]) => {
      if (value instanceof Module) return [[name, value] as [string, Module]];
      if (!Array.isArray(value)) return [];
      return value.flatMap((item: unknown, i) => (item instanceof Module ? [[`${name}.${i}`, item] as [string, Module]] : []));
    });
  }

  /** Its parameters and those of the modules inside, by dotted name. */
  namedParameters(): [name: string, parameter: Parameter][] {
    const own = Object.entries(this).filter((entry): entry is [string, Parameter] => entry[1] instanceof Parameter);
    return [
      ...own,
      ...this.children().flatMap(([name, child]) =>
        child.namedParameters().map(([n, p]) => [`${name}.${n}`, p] as [string, Parameter]),
      ),
    ];
  }

  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** Sets it and all modules inside to training. Returns it. */
  train(mode = true): this {
    this.training = mode;
    for (const [, child] of this.children()) child.train(mode);
    return this;
  }

  /** Sets it and all modules inside to use. Returns it. */
  eval(): this {
    return this.train(false);
  }
}
