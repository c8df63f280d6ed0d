/**
 * @file The profiles of this session. In: each finished run, and each profile that is opened. Out: the last one of an example (CodeLens) and of a file
 * (line costs), and an event for each change.
 */
import { EventEmitter, type Event } from 'vscode';
import type { Profile } from '../runtime/profile/model.ts';
import type { Registration } from './registration.ts';

export interface Results extends Registration {
  readonly onDidChange: Event<Profile>;
  add(profile: Profile): void;
  /** Of one example. */
  of(file: string, example: string): Profile | undefined;
  /** The newest that ran any line of the file. */
  touching(file: string): Profile | undefined;
}

export function createResults(): Results {
  const changed = new EventEmitter<Profile>();
  const newestFirst: Profile[] = [];
  return {
    onDidChange: changed.event,
    add(profile) {
      const same = newestFirst.findIndex((old) => old.file === profile.file && old.example === profile.example);
      if (same >= 0) newestFirst.splice(same, 1);
      newestFirst.unshift(profile);
      changed.fire(profile);
    },
    of: (file, example) => newestFirst.find((profile) => profile.file === file && profile.example === example),
    touching: (file) => newestFirst.find((profile) => Object.hasOwn(profile.sources, file)),
    dispose: () => changed.dispose(),
  };
}
