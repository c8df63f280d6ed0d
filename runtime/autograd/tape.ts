/**
 * @file The tape. In: every op as it runs. Out: on each result that depends on a tensor with `requiresGrad`, a history that
 * `backward` walks. An in-place op through a view rewrites the history of what is viewed; other views of it find their new
 * history when they are next used. An op's tensors are held only as far as its gradient takes them as arguments.
 */
import { JitLensError } from '../errors.ts';
import { at, userFrames } from '../frames.ts';
import type { Entry } from '../ops/define.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { noteOverwrite, type Saved } from '../ops/saved.ts';
import { gradMode, installTape } from '../ops/tape.ts';
import { strided, write, writeInto } from '../ops/write.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Layout } from '../tensor/layout.ts';
import { full } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';
import { activeDiscovery } from './discovery.ts';
import { History, save, Target, type Backward, type Gradients, type Kept } from './history.ts';

/** What the tape knows of a tensor. */
interface Note {
  /** Where its gradient arrives, for one that an op made. */
  made?: Target;
  /** The same, for one that no op made. */
  leaf?: Target;
  /** The tensor that this one is a view of, and where that tensor's gradient arrived when this one was made. */
  viewOf?: Tensor;
  seen?: Target;
  /** The view was taken while nothing was recorded. */
  unheard?: boolean;
}

type AnyEntry = Entry<never[]>;

const notes = new WeakMap<Tensor, Note>();

function noteOf(x: Tensor): Note {
  let note = notes.get(x);
  if (!note) notes.set(x, (note = {}));
  return note;
}

/** Where a gradient of `x` arrives, as things stand; undefined when none is wanted. */
export function targetOf(x: Tensor): Target | undefined {
  return madeTarget(x) ?? (x.requiresGrad ? (noteOf(x).leaf ??= Target.leaf(x)) : undefined);
}

function madeTarget(x: Tensor): Target | undefined {
  const note = notes.get(x);
  const base = note?.viewOf;
  if (!note || !base || note.unheard) return note?.made;
  const now = madeTarget(base);
  if (now !== note.seen) {
    note.seen = now;
    // A view of something whose history has changed since.
    setTarget(note, now && History.simple('view', [now], x, (g) => [writeInto(base, within(base, x), g)]));
  }
  return note.made;
}

/** A tensor that keeps its gradient does so whatever is written into it. */
function setTarget(note: Note, target: Target | undefined): void {
  const before = note.made;
  note.made = target;
  if (!target || !before?.retained) return;
  target.retained = before.retained;
  before.retained = undefined;
}

/**
 * Says that `results` were made together from `sources`, if a gradient of one of those is wanted. Results of a dtype that has
 * no gradients are left out.
 */
export function attachAll(
  results: readonly Tensor[],
  name: string,
  sources: readonly Tensor[],
  kept: () => Omit<Kept, 'foreign'>,
): void {
  const discovery = activeDiscovery();
  if (discovery) return discovery.hear(sources, results);
  const targets = sources.map(targetOf);
  if (!targets.some(Boolean)) return;
  const history = new History(name, targets, { ...kept(), foreign: true });
  results.forEach((x, i) => {
    if (!isFloat(x.dtype)) return;
    setTarget(noteOf(x), Target.result(history, i, x));
    x.requiresGrad = true;
  });
}

/**
 * Lets `x`, which has the elements of `from`, be a leaf until the function that this gives is called: from then on, gradients that
 * arrive at it go on to `from`.
 */
export function leafFor(x: Tensor, from: Tensor): () => void {
  const target = targetOf(from);
  if (!target) return () => undefined;
  const history = new History('an argument', [target], { saved: [], backward: (g) => g, lasting: true });
  return () => noteOf(x).leaf?.leadInto(history);
}

/** The layout of a view over the row-major elements of what it views. */
function within(base: Tensor, { layout }: Tensor): Layout {
  if (base.isContiguous()) return { ...layout, offset: layout.offset - base.layout.offset };
  throw new JitLensError(
    'JLT-GRAD',
    'a view of a tensor that is not row-major was written in place',
    'Call contiguous() on it first.',
  );
}

function record(entry: AnyEntry, args: readonly unknown[], result: unknown): void {
  if (!(result instanceof Tensor)) return;
  if (!gradMode()) return noteView(entry, args[0], result, true);
  const operands = args.flat();
  const discovery = activeDiscovery();
  if (discovery) {
    if (isFloat(result.dtype)) discovery.hear(operands, [result]);
    return noteView(entry, operands[0], result, false);
  }
  if (entry.spec?.inPlace) return recordWrite(entry, operands, args, result);
  if (result === operands[0]) return;
  const targets = operands.map((x) => (x instanceof Tensor ? targetOf(x) : undefined));
  if (targets.some(Boolean) && isFloat(result.dtype)) {
    const history = new History(entry.name, targets, keptFor(entry, operands, args, result));
    noteOf(result).made = Target.result(history, 0, result);
    result.requiresGrad = true;
  }
  noteView(entry, operands[0], result, false);
}

/** A movement without a gradient means to cut its result off. */
function noteView({ spec, grad }: AnyEntry, first: unknown, result: Tensor, unheard: boolean): void {
  if (spec?.kind !== 'move' || !grad || !(first instanceof Tensor) || first.storage !== result.storage) return;
  const note = notes.get(first);
  const base = note?.viewOf ?? first;
  Object.assign(noteOf(result), { viewOf: base, seen: madeTarget(base), unheard: unheard || note?.unheard });
}

/** How many of g, the result and the arguments a gradient takes: what it cannot name it cannot read. */
function keptFor(entry: AnyEntry, operands: readonly unknown[], args: readonly unknown[], result: Tensor): Kept {
  const { grad, name } = entry;
  const backward =
    (run: (g: Tensor) => Gradients): Backward =>
    ([g]) =>
      g ? run(g) : [];
  if (!grad) {
    return {
      saved: [],
      backward: () => {
        throw new JitLensError('JLT-GRAD', `${name} has no gradient`, 'Use detach() where no gradient is meant to flow.');
      },
    };
  }
  const partial = grad as (g: Tensor, out?: Tensor, ...args: readonly unknown[]) => Gradients;
  if (grad.length <= 1) return { saved: [], backward: backward((g) => partial(g)) };
  if (grad.length === 2) return { saved: [save(result)], backward: backward((g) => partial(g, result)) };
  const saved: Saved[] = [];
  for (const x of operands) if (x instanceof Tensor) saved.push(save(x));
  saved.push(save(result));
  return { saved, backward: backward((g) => partial(g, result, ...args)) };
}

function recordWrite(entry: AnyEntry, operands: readonly unknown[], args: readonly unknown[], target: Tensor): void {
  const targets = operands.map((x) => (x instanceof Tensor ? targetOf(x) : undefined));
  if (!targets.some(Boolean)) return;
  const base = notes.get(target)?.viewOf;
  const history = new History(entry.name, targets, keptForWrite(entry, operands, args, target));
  const value = Target.result(history, 0, target);
  target.requiresGrad = true;
  if (!base) return setTarget(noteOf(target), value);
  const into = within(base, target);
  const written = History.simple('write', [targetOf(base), value], base, (g) => {
    const whole = g.contiguous();
    return [write(whole, full(into.shape, 0, { dtype: g.dtype }), into), strided(whole, into)];
  });
  base.requiresGrad = true;
  setTarget(noteOf(base), written);
}

function keptForWrite(entry: AnyEntry, operands: readonly unknown[], args: readonly unknown[], target: Tensor): Kept {
  if ((entry.grad?.length ?? 0) <= 1) return keptFor(entry, operands, args, target);
  // The result has a handle of its own: what was overwritten is gone, so a gradient that reads that is refused.
  const result = target.detach();
  const others = operands.filter((x) => x !== target);
  const { saved, backward } = keptFor(entry, others, args, result);
  if ((entry.grad?.length ?? 0) <= 2) return { saved, backward };
  const overwritten = target.storage.version - 1;
  noteOverwrite(target.storage, overwritten);
  return { saved: [...saved, [target, overwritten]], backward };
}

function beforeWrite(name: string, operands: readonly unknown[]): void {
  const [target] = operands;
  if (!gradMode() || !(target instanceof Tensor)) return;
  const discovery = activeDiscovery();
  if (discovery) return discovery.beforeWrite(name, target, operands);
  if (!operands.some((x) => x instanceof Tensor && targetOf(x))) return;
  const note = notes.get(target);
  const base = note?.viewOf;
  if (base && note.unheard) {
    throw new JitLensError(
      'JLT-GRAD',
      `${name}: a view that was taken inside noGrad is written with a value whose gradient is wanted`,
      'Take the view outside noGrad, or write inside it.',
    );
  }
  if (targetOf(base ?? target)?.leaf) {
    throw new JitLensError(
      'JLT-LEAF',
      `${name}: ${base ? 'a view of ' : ''}a tensor whose gradient is wanted was written in place`,
      'Use the out-of-place form, or noGrad(() => …) to update a parameter.',
    );
  }
  const outside = activeRecorder()?.outside(target);
  if (outside === undefined) return;
  const [place] = userFrames();
  // The tensor would have this history after the recorded run alone.
  throw new JitLensError(
    'JLT-GRAD',
    `${name}${at(place)} writes a value whose gradient is wanted into ${outside}, which outlives the compiled call`,
    'Write x.detach() or in noGrad where no gradient is to reach this call from a later one; else return the new value.',
    place,
  );
}

installTape({ beforeWrite, record });
