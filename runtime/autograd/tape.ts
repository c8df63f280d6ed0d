/**
 * @file The tape: which op made which tensor from which. In: every op as it runs. Out: on each result that depends on a
 * tensor with `requiresGrad`, a history that `backward` walks. An in-place op through a view rewrites the history of what
 * is viewed; other views of it find their new history when they are next used.
 */
import { JitLensError } from '../errors.ts';
import type { Entry } from '../ops/define.ts';
import { installTape } from '../ops/tape.ts';
import type { Meta } from '../ops/spec.ts';
import { strided, write, writeInto } from '../ops/write.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Layout } from '../tensor/layout.ts';
import { full } from '../tensor/create.ts';
import { Tensor } from '../tensor/tensor.ts';

/** Where a gradient flows on to: the op that made an operand, or an operand that no op made. */
export type Edge =
  (Meta & { readonly kind: 'history'; readonly history: History }) | (Meta & { readonly kind: 'leaf'; readonly tensor: Tensor });

export interface History {
  /** Grows with time: an op comes after all that its operands come from. */
  readonly id: number;
  readonly name: string;
  /** One for each operand; undefined for one that needs no gradient. */
  readonly edges: readonly (Edge | undefined)[];
  /** Operands and result, with their versions when the op ran. */
  readonly saved: readonly (readonly [tensor: Tensor, version: number])[];
  readonly backward: (g: Tensor) => readonly (Tensor | undefined)[];
}

/** What the tape knows of a tensor. */
interface Note {
  history?: History;
  /** The tensor that this one is a view of, and that tensor's history when this one's was made. */
  viewOf?: Tensor;
  seen?: History;
}

const notes = new WeakMap<Tensor, Note>();
let nextId = 0;

function noteOf(x: Tensor): Note {
  let note = notes.get(x);
  if (!note) notes.set(x, (note = {}));
  return note;
}

/** How a gradient leaves `x`, as things stand. */
export function edgeOf(x: Tensor): Edge | undefined {
  const history = historyOf(x);
  const { shape, dtype } = x;
  if (history) return { kind: 'history', history, shape, dtype };
  return x.requiresGrad ? { kind: 'leaf', tensor: x, shape, dtype } : undefined;
}

export function historyOf(x: Tensor): History | undefined {
  const note = notes.get(x);
  const base = note?.viewOf;
  if (!note || !base) return note?.history;
  const now = historyOf(base);
  if (now !== note.seen) {
    note.seen = now;
    note.history = now && viewHistory(base, x);
  }
  return note.history;
}

/** The history of a view of something whose history has changed since. */
function viewHistory(base: Tensor, view: Tensor): History {
  return make('view', [edgeOf(base)], [], (g) => [writeInto(base, within(base, view), g)]);
}

/** Says that `x` was made from `sources`, for code that does not run op by op. */
export function attach(x: Tensor, name: string, sources: readonly Tensor[], backward: History['backward']): void {
  noteOf(x).history = make(name, sources.map(edgeOf), sources, backward);
  x.requiresGrad = true;
}

function make(name: string, edges: History['edges'], saved: readonly Tensor[], backward: History['backward']): History {
  return { id: nextId++, name, edges, saved: saved.map((x) => [x, x.storage.version] as const), backward };
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

function record(entry: Entry<never[]>, args: readonly unknown[], result: unknown): void {
  if (!(result instanceof Tensor) || !entry.spec) return;
  const operands = args.flat();
  if (entry.spec.inPlace) return recordWrite(entry, operands, args, result);
  const [first] = operands;
  const isView = first instanceof Tensor && first !== result && first.storage === result.storage;
  const edges = operands.map((x) => (x instanceof Tensor ? edgeOf(x) : undefined));
  if (result === first) return;
  if (edges.some(Boolean) && isFloat(result.dtype)) {
    const tensors = operands.filter((x) => x instanceof Tensor);
    noteOf(result).history = make(entry.name, edges, [...tensors, result], (g) =>
      gradientOf(entry)(g, result, ...(args as never[])),
    );
    result.requiresGrad = true;
  }
  if (isView) {
    const base = notes.get(first)?.viewOf ?? first;
    Object.assign(noteOf(result), { viewOf: base, seen: historyOf(base) });
  }
}

function gradientOf(entry: Entry<never[]>): NonNullable<Entry<never[]>['grad']> {
  if (entry.grad) return entry.grad;
  throw new JitLensError('JLT-GRAD', `${entry.name} has no gradient`, 'Use detach() where no gradient is meant to flow.');
}

function recordWrite(entry: Entry<never[]>, operands: readonly unknown[], args: readonly unknown[], target: Tensor): void {
  const edges = operands.map((x) => (x instanceof Tensor ? edgeOf(x) : undefined));
  if (!edges.some(Boolean)) return;
  const leaf = edges[0]?.kind === 'leaf';
  if (leaf) {
    throw new JitLensError(
      'JLT-LEAF',
      `${entry.name}: a tensor whose gradient is wanted was written in place`,
      'Use the out-of-place form, or noGrad(() => …) to update a parameter.',
    );
  }
  const base = notes.get(target)?.viewOf;
  // What was overwritten is gone, so a gradient that reads it is refused by its version; the result has a handle of its own.
  const result = target.detach();
  const operandsLeft = operands.filter((x): x is Tensor => x instanceof Tensor && x !== target);
  const made = make(entry.name, edges, [...operandsLeft, result], (g) => gradientOf(entry)(g, result, ...(args as never[])));
  const history: History = { ...made, saved: [...made.saved, [target, target.storage.version - 1]] };
  noteOf(result).history = history;
  result.requiresGrad = true;
  target.requiresGrad = true;
  if (!base) {
    noteOf(target).history = history;
    return;
  }
  const into = within(base, target);
  const before = edgeOf(base);
  const value: Edge = { kind: 'history', history, shape: target.shape, dtype: target.dtype };
  base.requiresGrad = true;
  noteOf(base).history = make('write', [before, value], [], (g) => [
    write(g.contiguous(), full(into.shape, 0, { dtype: g.dtype }), into),
    strided(g.contiguous(), into),
  ]);
}

installTape({ record });
