/**
 * @file Kernels that run side by side in one dispatch. In: kernels in the order they run, and what each binds. Out: steps in the
 * order they run, each of one kernel or of several that leave most of a device idle and do not need each other. Of two that
 * have a storage in common, one of which writes it, the first still runs before the second.
 */
import { invariant } from '../errors.ts';
import { boundBy, type Section } from '../kernels/kernel.ts';
import { resized, workgroupsOf, type Schedule } from '../kernels/schedule.ts';
import { PLACES } from '../kernels/tiles.ts';
import type { DeviceKind } from '../profile/model.ts';

/** What `without` calls it. */
export const SIDE_BY_SIDE = 'side-by-side';

export interface Runnable {
  readonly section: Section<object>;
}

export interface SideBySideLimits {
  /** Tensors that one kernel can read and store. */
  readonly tensors: number;
  readonly device: DeviceKind;
}

/** A kernel with more threads fills a device: beside it others only wait, and all have as many registers as the one that needs most. */
const FILLING_THREADS: Readonly<Record<DeviceKind, number>> = { gpu: 1 << 16, software: 1 << 12, reference: 0 };
/** Longer texts take longer to compile than their dispatches would take in many runs. */
const MOST_SECTIONS = 8;
/** Steps back that a kernel may go, or have wait for it: what it reads or stores is held for so many more. */
const LOOKED_AT = 16;

/** Kernels with equal forms can be sections of one; undefined for one that fills the device. */
export function formOfSection(schedule: Schedule, device: DeviceKind): string | undefined {
  const { tiling, matrices, uniforms, walk, turn, workgroupSize } = schedule;
  const workgroups = workgroupsOf(schedule);
  // Matrix units belong to subgroups, whose number only the kernel itself is told.
  if (matrices) return undefined;
  // A kernel has only so many uniforms.
  if (uniforms?.size) return undefined;
  // Those that go over all keys run long, with memory and registers for their blocks.
  if (walk) return undefined;
  // What reads turned has many positions, and memory for their squares.
  if (turn) return undefined;
  // Products need many more registers than others, and workgroup memory as their blocks are.
  if (tiling) return workgroups <= PLACES ? JSON.stringify([tiling.block, tiling.thread, tiling.slices]) : undefined;
  return workgroups * workgroupSize <= FILLING_THREADS[device] ? 'no product' : undefined;
}

interface Step<T> {
  /** Larger than that of the step before. */
  order: number;
  readonly form: string | undefined;
  kernels: T[];
  /** Whether a later one needs it to have run. */
  needed: boolean;
}

/** A step that binds a storage. */
interface Use<T> {
  readonly step: Step<T>;
  readonly writes: boolean;
}

/** The kernels of a step have workgroups of one size. */
export function sideBySide<T extends Runnable>(kernels: readonly T[], limits: SideBySideLimits): T[][] {
  const steps: Step<T>[] = [];
  const uses = new Map<object, Use<T>[]>();
  kernels.forEach((kernel, order) => {
    const { bindings, schedule } = kernel.section;
    const before = new Set(
      bindings.flatMap((b) => (uses.get(b.storage) ?? []).filter((u) => u.writes || b.writable).map((u) => u.step)),
    );
    const form = formOfSection(schedule, limits.device);
    const recent = form === undefined ? [] : steps.slice(-LOOKED_AT);
    const takes = (s: Step<T>) => s.form === form && fitted([...s.kernels, kernel], limits.tensors) !== undefined;
    const last = Math.max(-1, ...[...before].map((s) => s.order));
    const early = recent.find((s) => s.order > last && takes(s));
    // What nothing needs so far can as well run here.
    const late = early ? undefined : recent.findLast((s) => !s.needed && !before.has(s) && takes(s));
    if (late) steps.splice(steps.lastIndexOf(late), 1);
    const step = early ?? late ?? { order, form, kernels: [], needed: false };
    if (step !== early) {
      step.order = order;
      steps.push(step);
    }
    step.kernels.push(kernel);
    for (const s of before) s.needed = true;
    for (const { storage, writable } of bindings) {
      const use = { step, writes: writable };
      const known = uses.get(storage);
      if (known) known.push(use);
      else uses.set(storage, [use]);
    }
  });
  return steps.map((s) => invariant(fitted(s.kernels, limits.tensors), 'a kernel runs by itself'));
}

/** The kernels with workgroups of one size; undefined where they bind too much, or cannot have that. */
function fitted<T extends Runnable>(kernels: readonly T[], tensors: number): T[] | undefined {
  if (kernels.length === 1) return [...kernels];
  const sections = kernels.map((k) => k.section);
  if (kernels.length > MOST_SECTIONS || boundBy(sections).length > tensors) return undefined;
  const size = Math.max(...sections.map((s) => s.schedule.workgroupSize));
  const sized = kernels.flatMap((k) => {
    const schedule = resized(k.section.schedule, size);
    return schedule ? [{ ...k, section: { ...k.section, schedule } }] : [];
  });
  return sized.length === kernels.length ? sized : undefined;
}
