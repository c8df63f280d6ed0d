/**
 * @file Guards values that were saved for a gradient. In: tensors and their versions, and every write in place. Out: an
 * error if one is read after it was overwritten, with the line that did it. That line is looked at only where a gradient
 * is waiting, so writes elsewhere cost nothing.
 */
import { JitLensError } from '../errors.ts';
import { at, framesAt, markHere, type Mark } from '../frames.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** A tensor with the version that its memory had. */
export type Saved = readonly [tensor: Tensor, version: number];

/** How many gradients wait for the latest version that one waits for, and where versions that were waited for ended. */
export interface Watch {
  version: number;
  waiting: number;
  readonly overwrites: Map<number, Mark>;
}

/** Overwritten versions that one memory remembers. */
const REMEMBERED = 16;

function newWatch(version: number): Watch {
  return { version, waiting: 0, overwrites: new Map() };
}

/** A gradient will read this memory as it is now. */
export function watch(storage: Storage): void {
  const known = (storage.watch ??= newWatch(storage.version));
  if (known.version !== storage.version) Object.assign(known, { version: storage.version, waiting: 0 });
  known.waiting++;
}

/** A gradient that waited for this version is gone. */
export function unwatch({ watch: known }: Storage, version: number): void {
  if (known?.version === version) known.waiting--;
  known?.overwrites.delete(version);
}

/** Called for every write in place. */
export function countWrite(storage: Storage): void {
  const { watch: known, version } = storage;
  if (known && known.waiting > 0 && known.version === version) noteOverwrite(storage, version);
  storage.version = version + 1;
}

/** The code that is running has overwritten this version. */
export function noteOverwrite(storage: Storage, version: number): void {
  const { overwrites } = (storage.watch ??= newWatch(version));
  overwrites.set(version, markHere());
  const [oldest] = overwrites.keys();
  if (overwrites.size > REMEMBERED && oldest !== undefined) overwrites.delete(oldest);
}

interface Guard {
  readonly saved: readonly Saved[];
  readonly name: string;
}

let active: Guard | undefined;

/** Runs the gradient of op `name`, refusing reads of saved tensors that have changed since. */
export function withOverwriteGuard<T>(saved: readonly Saved[], name: string, body: () => T): T {
  const previous = active;
  active = { saved, name };
  try {
    return body();
  } finally {
    active = previous;
  }
}

/** Called for every operand of every op. */
export function checkSaved(x: Tensor): void {
  if (!active) return;
  for (const saved of active.saved) {
    if (saved[0] === x && saved[1] !== x.storage.version) throw overwritten(saved, active.name);
  }
}

/** Refuses a tensor that is not as it was saved for the gradient of `name`. */
function overwritten([{ storage }, version]: Saved, name: string): JitLensError {
  const mark = storage.watch?.overwrites.get(version);
  const [place] = mark ? framesAt(mark) : [];
  return new JitLensError(
    'JL407',
    `the gradient of ${name} needs a tensor that was overwritten in place since${place ? ',' : ''}${at(place)}`,
    'Use the out-of-place form where it was written, or clone() it before.',
    place,
  );
}
