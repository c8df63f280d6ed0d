/**
 * @file Loops whose turns are counted or ended at run time. In: the body, as something to look at. Out: a Loop step whose params
 * are all that a turn changes for the next one. What that is is found by looking at the body until nothing new changes.
 */
import { invariant, JitLensError } from '../../errors.ts';
import type { Argument, Value } from '../../ir/program.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Builder, OpenBlock } from './builder.ts';
import type { Completion, Context } from './context.ts';
import { afterLoop, BREAK, compute, fork, isWhole, RETURN, scalarType, truth } from './flow.ts';
import { restore, type Cell } from './memory.ts';
import { Conflict, isRecord, typeName, Unknown } from './values.ts';

export interface LoopForm {
  /** How often at most. */
  readonly trips?: number | Unknown;
  /** Whether there is a first turn; looked at once more after each, before the next. */
  readonly condition?: () => unknown;
  readonly body: (index: Unknown) => Completion;
  /** Copies of the source's body in `body`. */
  readonly copies?: number;
}

/** Something that a turn changes: a variable, or the elements of a list or record. */
type Slot = { readonly cell: Cell } | { readonly object: object };

/** A value taken apart into what can be passed on: tensors and scalars. */
interface Parts {
  readonly leaves: readonly unknown[];
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
}

export function partsOf(x: unknown): Parts {
  if (Array.isArray(x)) return listed(x.map(partsOf), (items) => items);
  if (isRecord(x)) {
    const keys = Object.keys(x);
    return listed(Object.values(x).map(partsOf), (items) => Object.fromEntries(items.map((item, i) => [keys[i], item])));
  }
  return { leaves: [x], rebuild: ([leaf]) => leaf };
}

function listed(parts: readonly Parts[], join: (items: readonly unknown[]) => unknown): Parts {
  return {
    leaves: parts.flatMap((p) => p.leaves),
    rebuild: (leaves) => {
      let at = 0;
      return join(parts.map((p) => p.rebuild(leaves.slice(at, (at += p.leaves.length)))));
    },
  };
}

interface Turn {
  readonly completion: Completion;
  readonly again: unknown;
  /** Values of the slots after the turn. */
  readonly after: ReadonlyMap<Cell | object, unknown>;
}

const MOST_ROUNDS = 12;

export function loop(context: Context, form: LoopForm): Completion {
  const builder = invariant(context.builder, 'a loop is known while code is followed');
  builder.close();
  const enter = form.condition?.();
  if (enter === false) return { kind: 'normal' };
  const state = new LoopState(context, builder, form);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const made = state.attempt();
    if (made) return state.emit(made, enter instanceof Unknown ? truth(context, enter) : undefined);
  }
  throw new JitLensError(
    'JL106',
    'what this loop carries from turn to turn keeps changing its type',
    'Give it one type before the loop.',
  );
}

class LoopState {
  private readonly slots: Slot[] = [];
  /** Leaves that are not whole numbers after all, and tensors that a gradient is wanted for. */
  private readonly fractional = new Set<string>();

  constructor(
    private readonly context: Context,
    private readonly builder: Builder,
    private readonly form: LoopForm,
  ) {}

  private valueOf(slot: Slot): unknown {
    return 'cell' in slot ? slot.cell.value : slot.object;
  }

  /** Looks at a turn with the slots that are known; undefined when it changed something else, which is known from then on. */
  attempt() {
    const { builder, context } = this;
    const initial = this.slots.map((slot) => partsOf(this.valueOf(slot)));
    const params: Value[] = [];
    const index = builder.scalar('number', 'turn');
    const { result, block } = builder.inside(() =>
      context.memory.explore((): Turn => {
        this.slots.forEach((slot, s) => {
          const { leaves, rebuild } = invariant(initial[s], 'a slot has a value');
          const made = leaves.map((leaf, i) => {
            const param = this.param(slot, leaf, `${s}.${i}`);
            if (param.value) params.push(param.value);
            return param.inside;
          });
          this.put(slot, rebuild(made));
        });
        const completion = this.form.body(new Unknown(index, true));
        const goesOn = completion.kind !== 'break' && completion.kind !== 'return' && completion.kind !== 'throw';
        const again = goesOn ? this.again(completion) : false;
        const after = new Map<Cell | object, unknown>();
        for (const slot of this.slots) {
          const key = 'cell' in slot ? slot.cell : slot.object;
          after.set(key, 'cell' in slot ? slot.cell.value : copyOf(slot.object));
        }
        return { completion, again, after };
      }),
    );
    const { changes } = result;
    const known = new Set<Cell | object>(this.slots.map((s) => ('cell' in s ? s.cell : s.object)));
    const found = [
      ...[...changes.cells.keys()].filter((c) => !known.has(c)).map((cell): Slot => ({ cell })),
      ...[...changes.objects.keys()].filter((o) => !known.has(o)).map((object): Slot => ({ object })),
    ];
    this.slots.push(...found);
    if (found.length > 0) return undefined;
    if (!this.fits(initial, result.result)) return undefined;
    return { turn: result.result, block, params, index, initial };
  }

  private again(completion: Completion): unknown {
    const { context, form } = this;
    const still = () => {
      const value = form.condition ? form.condition() : true;
      return value instanceof Unknown ? truth(context, value) : Boolean(value);
    };
    if (completion.kind !== 'mixed' || (!completion.codes.has(BREAK) && !completion.codes.has(RETURN))) return still();
    const goes = compute(context, 'goes on', [completion.code], (code: number) => code !== BREAK && code !== RETURN, {
      type: 'boolean',
    });
    // What the condition reads is not read again once the loop is left.
    return goes instanceof Unknown
      ? fork<unknown>(
          context,
          goes,
          still,
          () => false,
          (a, b, merger) => merger.merge(a, b),
        )
      : goes === true && still();
  }

  private put(slot: Slot, value: unknown): void {
    if ('cell' in slot)
      this.context.memory.assign(slot.cell, Array.isArray(value) || isRecord(value) ? this.context.memory.own(value) : value);
    else restore(slot.object, Object.entries(value as object));
  }

  private param(slot: Slot, leaf: unknown, key: string): { value?: Value; inside: unknown } {
    const name = 'cell' in slot ? slot.cell.name : undefined;
    if (leaf instanceof Tensor) {
      const { value, tensor } = this.builder.tensor({ shape: leaf.shape, dtype: leaf.dtype }, undefined, { name });
      tensor.requiresGrad = leaf.requiresGrad || this.wanted.has(key);
      this.builder.sharing.join([tensor.storage, leaf.storage]);
      return { value, inside: tensor };
    }
    const type = scalarType(leaf);
    if (type) {
      const value = this.builder.scalar(type, name);
      return { value, inside: new Unknown(value, isWhole(leaf) && !this.fractional.has(key)) };
    }
    return { inside: leaf };
  }

  private readonly wanted = new Set<string>();

  /** Whether what a turn leaves behind is what the next one starts from. */
  private fits(initial: readonly Parts[], { after }: Turn): boolean {
    let fits = true;
    this.slots.forEach((slot, s) => {
      const before = invariant(initial[s], 'a slot has a value').leaves;
      const value = after.get('cell' in slot ? slot.cell : slot.object);
      const leaves = partsOf(value).leaves;
      const name = 'cell' in slot ? slot.cell.name : 'a list';
      if (leaves.length !== before.length) {
        throw this.refusal(
          'JL106',
          `‘${name}’ has ${before.length} elements before a turn of this loop and ${leaves.length} after it, and the number of turns is known only at run time`,
          'Write into a tensor of a fixed size, or loop over a range whose end is known.',
        );
      }
      leaves.forEach((leaf, i) => {
        const key = `${s}.${i}`;
        const was = before[i];
        if (leaf instanceof Conflict) throw this.refusal(leaf.code, leaf.message(name), leaf.hint);
        if (was instanceof Tensor && leaf instanceof Tensor) {
          if (!sameShape(was.shape, leaf.shape) || was.dtype !== leaf.dtype) {
            const text = (x: Tensor) => `${x.dtype} ${formatShape(x.shape)}`;
            throw this.refusal(
              'JL106',
              `‘${name}’ enters the loop as ${text(was)} and leaves as ${text(leaf)}`,
              'A loop carries one shape and dtype; start with a tensor of the final one.',
            );
          }
          if (leaf.requiresGrad && !was.requiresGrad && !this.wanted.has(key)) {
            this.wanted.add(key);
            fits = false;
          }
          return;
        }
        const type = scalarType(was);
        if (type !== undefined && type === scalarType(leaf)) {
          if (isWhole(was) && !isWhole(leaf) && !this.fractional.has(key)) {
            this.fractional.add(key);
            fits = false;
          }
          return;
        }
        if (Object.is(was, leaf)) return;
        throw this.refusal(
          'JL106',
          `‘${name}’ enters the loop as ${typeName(was)} and leaves as ${typeName(leaf)}`,
          'Give it its type before the loop, for example with a tensor.',
        );
      });
    });
    return fits;
  }

  private refusal(code: string, message: string, hint: string): JitLensError {
    return new JitLensError(code, message, hint, this.context.frames()[0]);
  }

  emit(made: NonNullable<ReturnType<LoopState['attempt']>>, enter: Unknown | undefined): Completion {
    const { builder, context } = this;
    const { turn, block, params, index, initial } = made;
    const outputs: Value[] = [];
    const start: Argument[] = [];
    const rebuilt = this.slots.map((slot, s) => {
      const { leaves, rebuild } = invariant(initial[s], 'a slot has a value');
      const after = partsOf(turn.after.get('cell' in slot ? slot.cell : slot.object)).leaves;
      const results = leaves.map((leaf, i) => {
        if (!(leaf instanceof Tensor) && scalarType(leaf) === undefined) return leaf;
        start.push(this.plain(leaf));
        const { argument, storage } = this.yielded(after[i], block);
        block.yields.push(argument);
        return this.output(leaf, after[i], outputs, storage);
      });
      return rebuild(results);
    });
    const exit = this.exit(turn.completion, block, outputs);
    const again = turn.again === true ? undefined : argumentOf(turn.again);
    builder.step({
      kind: 'loop',
      trips: this.form.trips === undefined ? undefined : argumentOf(this.form.trips),
      enter: enter?.value,
      index,
      params,
      initial: start,
      body: block,
      again,
      copies: this.form.copies ?? 1,
      outputs,
      stack: context.frames(),
    });
    this.slots.forEach((slot, s) => this.put(slot, rebuilt[s]));
    return afterLoop(context, exit);
  }

  /** A leaf before the loop, row-major as the params are. */
  private plain(leaf: unknown): Argument {
    if (!(leaf instanceof Tensor)) return argumentOf(leaf);
    const whole = leaf.isContiguous() && leaf.layout.offset === 0;
    return this.builder.argument(whole ? leaf : leaf.clone());
  }

  private yielded(leaf: unknown, block: OpenBlock): { argument: Argument; storage?: Tensor['storage'] } {
    if (!(leaf instanceof Tensor)) return { argument: argumentOf(leaf) };
    const { result } = this.builder.inside(() => {
      const whole = leaf.isContiguous() && leaf.layout.offset === 0 ? leaf : leaf.clone();
      return { argument: this.builder.argument(whole), storage: whole.storage };
    }, block);
    return result;
  }

  private output(before: unknown, after: unknown, outputs: Value[], storage?: Tensor['storage']): unknown {
    if (after instanceof Tensor) {
      const { value, tensor } = this.builder.tensor({ shape: after.shape, dtype: after.dtype });
      tensor.requiresGrad = after.requiresGrad || (before instanceof Tensor && before.requiresGrad);
      const also = before instanceof Tensor ? [before.storage] : [];
      this.builder.sharing.join([tensor.storage, ...(storage ? [storage] : []), ...also]);
      outputs.push(value);
      return tensor;
    }
    const value = this.builder.scalar(invariant(scalarType(after), 'a scalar'));
    outputs.push(value);
    return new Unknown(value, isWhole(after) && (before === undefined || isWhole(before)));
  }

  /** Further yields: how the last turn ended, and what it returned. */
  private exit(completion: Completion, block: OpenBlock, outputs: Value[]): Completion {
    if (completion.kind !== 'return' && completion.kind !== 'mixed') return { kind: 'normal' };
    const code = completion.kind === 'return' ? RETURN : completion.code;
    const codes = completion.kind === 'return' ? new Set([RETURN]) : completion.codes;
    if (!codes.has(RETURN)) return { kind: 'normal' };
    const codeValue = this.builder.scalar('number');
    block.yields.push(argumentOf(code));
    outputs.push(codeValue);
    const { leaves, rebuild } = partsOf(completion.value);
    const results = leaves.map((leaf) => {
      if (!(leaf instanceof Tensor) && scalarType(leaf) === undefined) return leaf;
      const { argument, storage } = this.yielded(leaf, block);
      block.yields.push(argument);
      return this.output(undefined, leaf, outputs, storage);
    });
    return {
      kind: 'mixed',
      code: new Unknown(codeValue, true),
      codes: new Set([0, ...codes]),
      value: rebuild(results),
    };
  }
}

function argumentOf(x: unknown): Argument {
  return x instanceof Unknown ? x.value : { constant: x };
}

function copyOf(x: object): unknown {
  return Array.isArray(x) ? [...(x as unknown[])] : { ...x };
}
