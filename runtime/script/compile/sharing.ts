/**
 * @file Which memory may be the same. In: where paths meet, a value may be one of several tensors. Out: an error for a write
 * in place that would have to be seen in another of them.
 */
import { JitLensError } from '../../errors.ts';
import type { Storage } from '../../tensor/storage.ts';

export class Sharing {
  private readonly groups = new Map<Storage, Set<Storage>>();

  /** From here on, `storages` may be one memory. */
  join(storages: readonly Storage[]): void {
    const group = new Set<Storage>();
    for (const storage of storages) for (const member of this.groups.get(storage) ?? [storage]) group.add(member);
    if (group.size < 2) return;
    for (const member of group) this.groups.set(member, group);
  }

  write(storage: Storage, op: string): void {
    if ((this.groups.get(storage)?.size ?? 1) < 2) return;
    throw new JitLensError(
      'JL406',
      `${op} writes into a tensor that may share memory with another one, depending on the path taken`,
      'Write into a clone(), or use the out-of-place form.',
    );
  }
}
