/**
 * @file Hooks on modules. In: functions to call before and after `forward`, and with its gradients. A module that has hooks
 * gets a `forward` of its own around that of its class, so one without any pays nothing. Traces record what hooks do.
 */
import { tensorsIn, withTensors } from '../autograd/nested.ts';
import type { Gradients } from '../autograd/history.ts';
import { attachAll, targetOf } from '../autograd/tape.ts';
import { noGrad } from '../ops/tape.ts';
import type { Module } from './module.ts';

export type ForwardPreHook = (module: Module, inputs: readonly unknown[]) => readonly unknown[] | undefined;
export type ForwardHook = (module: Module, inputs: readonly unknown[], output: unknown) => unknown;
export type BackwardHook = (module: Module, gradInput: Gradients, gradOutput: Gradients) => Gradients | undefined;

interface Kinds {
  before: ForwardPreHook;
  after: ForwardHook;
  backward: BackwardHook;
}

const known = new WeakMap<Module, Hooks>();

export function hooksOf(module: Module): Hooks {
  let hooks = known.get(module);
  if (!hooks) known.set(module, (hooks = new Hooks(module)));
  return hooks;
}

class Hooks {
  private readonly lists: { [K in keyof Kinds]: { readonly hook: Kinds[K] }[] } = { before: [], after: [], backward: [] };
  /** The field that stood in the place of the class's `forward`, if there was one. */
  private hidden: PropertyDescriptor | undefined;

  constructor(private readonly module: Module) {}

  add<K extends keyof Kinds>(kind: K, hook: Kinds[K]): { remove(): void } {
    if (this.count() === 0) this.install();
    const entry = { hook };
    this.lists[kind].push(entry);
    return {
      remove: () => {
        const at = this.lists[kind].indexOf(entry);
        if (at < 0) return;
        this.lists[kind].splice(at, 1);
        if (this.count() === 0) this.uninstall();
      },
    };
  }

  private count(): number {
    return this.lists.before.length + this.lists.after.length + this.lists.backward.length;
  }

  private install(): void {
    const { module } = this;
    this.hidden = Object.getOwnPropertyDescriptor(module, 'forward');
    const plain = module.forward as (...inputs: readonly unknown[]) => unknown;
    const value = (...inputs: readonly unknown[]): unknown => this.call((xs) => Reflect.apply(plain, module, xs), inputs);
    Object.defineProperty(module, 'forward', { value, configurable: true, writable: true, enumerable: false });
  }

  private uninstall(): void {
    if (this.hidden) Object.defineProperty(this.module, 'forward', this.hidden);
    else Reflect.deleteProperty(this.module, 'forward');
  }

  private call(forward: (inputs: readonly unknown[]) => unknown, given: readonly unknown[]): unknown {
    let inputs = given;
    for (const { hook } of [...this.lists.before]) inputs = hook(this.module, inputs) ?? inputs;
    const watched = this.lists.backward.length > 0 ? new WatchedCall((a, b) => this.backward(a, b)) : undefined;
    if (watched) inputs = watched.inputs(inputs);
    let output = forward(inputs);
    for (const { hook } of [...this.lists.after]) output = hook(this.module, inputs, output) ?? output;
    return watched ? watched.output(output) : output;
  }

  private backward(gradInput: Gradients, gradOutput: Gradients): Gradients {
    let gradients = gradInput;
    for (const { hook } of [...this.lists.backward]) gradients = hook(this.module, gradients, gradOutput) ?? gradients;
    return gradients;
  }
}

/** One call whose gradients are listened to: at the views that stand for its inputs, and at those for its outputs. */
class WatchedCall {
  private gradOutput: Gradients = [];
  private hasInputs = false;

  constructor(private readonly hear: (gradInput: Gradients, gradOutput: Gradients) => Gradients) {}

  inputs(values: readonly unknown[]): readonly unknown[] {
    this.hasInputs = tensorsIn(values).some((x) => targetOf(x));
    return watched(values, 'the inputs of a module', (gradients) => this.hear(gradients, this.gradOutput)) as readonly unknown[];
  }

  output(value: unknown): unknown {
    return watched(value, 'the output of a module', (gradients) => {
      this.gradOutput = gradients;
      if (!this.hasInputs) this.hear([], gradients);
      return gradients;
    });
  }
}

/** The same value with views in the place of its tensors; `hear` sees the gradients of all of them at once. */
function watched(value: unknown, name: string, hear: (gradients: Gradients) => Gradients): unknown {
  const tensors = tensorsIn(value);
  const views = tensors.map((x) => noGrad(() => x.view(x.shape)));
  attachAll(views, name, tensors, () => ({ saved: [], backward: hear }));
  const rest = views.values();
  return withTensors(value, (x) => {
    const view = rest.next().value;
    return view?.requiresGrad ? view : x;
  });
}
