/**
 * @file Optimisers: they change parameters by their gradients, in place. In: parameters, all alike or in groups with options of
 * their own. Out: `step()` after each `backward()`. All of a step is ops, and what changes from step to step (the learning
 * rate, the number of steps, the state of each parameter) is in tensors, so a training step can be traced whole.
 */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { noGrad } from '../ops/tape.ts';
import { full, zeros } from '../tensor/create.ts';
import { formatShape, sameShape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface CommonOptions {
  readonly lr: number;
}

/** Parameters with options that differ from the optimiser's. */
export type GroupOptions<O extends CommonOptions> = Partial<O> & { readonly params: readonly Tensor[] };

/** What an optimiser is made of: parameters, or groups of them. */
export type Params<O extends CommonOptions> = readonly Tensor[] | readonly GroupOptions<O>[];

/** What an optimiser remembers of a parameter. */
export type Slots = Readonly<Record<string, Tensor | undefined>>;

const own = new WeakSet<Tensor>();

/** Whether an optimiser made it for itself: it is changed in place, and nobody puts another one in its place. */
export const isOptimizerState = (x: Tensor): boolean => own.has(x);

/** Parameters that are treated alike. */
export class ParamGroup<O extends CommonOptions = CommonOptions, S extends Slots = Slots> {
  /** The learning rate, on the device. */
  readonly rate: Tensor;
  /** Steps taken, on the device. */
  readonly steps: Tensor = zeros([]);
  /** For each parameter, in order. */
  readonly state: readonly S[];
  #lr: number;

  constructor(
    readonly params: readonly Tensor[],
    readonly options: O,
    slots: (p: Tensor, options: O) => S,
  ) {
    this.#lr = options.lr;
    this.rate = full([], options.lr);
    this.state = params.map((p) => slots(p, options));
    for (const x of [this.rate, this.steps, ...this.state.flatMap((slot) => Object.values(slot))]) if (x) own.add(x);
  }

  /** The learning rate. Setting it is seen by traced steps too. */
  get lr(): number {
    return this.#lr;
  }

  set lr(value: number) {
    if (activeRecorder()) {
      throw new JitLensError(
        'JL606',
        'a traced function sets a learning rate, which would be the same at every later call',
        'Set it, or step the schedule, between calls of the traced step.',
      );
    }
    if (value === this.#lr) return;
    this.#lr = value;
    noGrad(() => this.rate.copy_(value));
  }
}

export interface OptimizerState {
  readonly paramGroups: readonly { readonly lr: number; readonly steps: Tensor; readonly state: readonly Slots[] }[];
}

export abstract class Optimizer<O extends CommonOptions = CommonOptions, S extends Slots = Slots> {
  readonly paramGroups: ParamGroup<O, S>[] = [];

  constructor(
    params: Params<O>,
    private readonly defaults: O,
  ) {
    const given: unknown = params;
    if (!Array.isArray(given) || given.some((entry) => typeof entry !== 'object'))
      throw this.refused('something else than tensors');
    const groups = params.filter((entry): entry is GroupOptions<O> => 'params' in entry);
    for (const group of groups) this.addParamGroup(group);
    const rest = (params as readonly (Tensor | GroupOptions<O>)[]).filter((entry): entry is Tensor => !('params' in entry));
    if (rest.length > 0 || groups.length === 0) this.addParamGroup({ params: rest } as unknown as GroupOptions<O>);
  }

  /** Adds parameters with options of their own; those that are left out are the optimiser's. */
  addParamGroup({ params, ...options }: GroupOptions<O>): void {
    const known = new Set(this.paramGroups.flatMap((group) => group.params));
    const wrong =
      params.length === 0
        ? 'no parameters'
        : params.some((p) => known.has(p)) || new Set(params).size < params.length
          ? 'a parameter that comes twice'
          : params.some((p) => !p.isLeaf)
            ? 'a tensor that an op made'
            : undefined;
    if (wrong) throw this.refused(wrong);
    this.paramGroups.push(new ParamGroup(params, { ...this.defaults, ...options }, (p, o) => this.slots(p, o)));
  }

  private refused(what: string): JitLensError {
    return new JitLensError(
      'JLT-OPTIM',
      `${this.constructor.name} was given ${what}`,
      'Give each parameter once: module.parameters().',
    );
  }

  /** Forgets all gradients; the next `backward()` starts from none. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const p of params) p.leaveGrad(undefined);
  }

  /** Changes every parameter that has a gradient. */
  step(): void {
    noGrad(() => {
      for (const group of this.paramGroups) {
        group.steps.add_(1);
        const update = this.update(group);
        group.params.forEach((p, i) => {
          const state = group.state[i];
          const g = p.heldGrad;
          if (g && state) update(p, g, state);
        });
      }
    });
  }

  /** Rates, steps and what is remembered of each parameter. The tensors share memory: `clone()` what is to stay. */
  stateDict(): OptimizerState {
    return { paramGroups: this.paramGroups.map(({ lr, steps, state }) => ({ lr, steps, state })) };
  }

  /** Takes over such a state; other options stay as they are. Errors: JLT-STATE when parameters differ, and nothing changes. */
  loadStateDict({ paramGroups }: OptimizerState): void {
    const pairs = this.paramGroups.flatMap((group, g) => {
      const from = paramGroups[g];
      return from ? [{ to: group.steps, from: from.steps }, ...slotPairs(group.state, from.state, `group ${g}`)] : [];
    });
    if (paramGroups.length !== this.paramGroups.length) {
      throw mismatch(`${paramGroups.length} groups instead of ${this.paramGroups.length}`);
    }
    for (const { to, from } of pairs) {
      if (!sameShape(to.shape, from.shape))
        throw mismatch(`shape ${formatShape(from.shape)} instead of ${formatShape(to.shape)}`);
    }
    noGrad(() => {
      for (const { to, from } of pairs) to.copy_(from);
    });
    this.paramGroups.forEach((group, g) => (group.lr = paramGroups[g]?.lr ?? group.lr));
  }

  /** What is remembered of a parameter, as it starts. All of it is made here: what a traced step made would start anew at each call. */
  protected abstract slots(p: Tensor, options: O): S;

  /** The step of one group: a function that changes a parameter by its gradient. */
  protected abstract update(group: ParamGroup<O, S>): (p: Tensor, g: Tensor, state: S) => void;
}

function slotPairs(to: readonly Slots[], from: readonly Slots[], where: string): { to: Tensor; from: Tensor }[] {
  if (to.length !== from.length) throw mismatch(`${from.length} parameters in ${where} instead of ${to.length}`);
  return to.flatMap((slots, i) =>
    Object.entries(slots).flatMap(([name, x]) => {
      const source = from[i]?.[name];
      if (x && !source) throw mismatch(`no ${name} for parameter ${i} of ${where}`);
      return x && source ? [{ to: x, from: source }] : [];
    }),
  );
}

function mismatch(what: string): JitLensError {
  return new JitLensError(
    'JLT-STATE',
    `loadStateDict: ${what}`,
    'Load the state of an optimiser of the same kind, made of the same parameters.',
  );
}

/** The gradient with the pull towards 0 that makes weights decay. */
export function decayed(g: Tensor, p: Tensor, weightDecay: number): Tensor {
  return weightDecay === 0 ? g : g.add(p.mul(weightDecay));
}
