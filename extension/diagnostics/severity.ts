/** @file How loud a rule is: as it says itself, unless the settings say otherwise. */
import type { Diagnostic } from '../../runtime/profile/diagnostic.ts';

export const LEVELS = ['error', 'warning', 'information', 'hint', 'off'] as const;
export type Level = (typeof LEVELS)[number];
export type Audible = Exclude<Level, 'off'>;

/** What the setting says; entries that say nothing known count as not there. */
export function levelsIn(setting: unknown): ReadonlyMap<string, Level> {
  const entries = typeof setting === 'object' && setting !== null ? Object.entries(setting) : [];
  return new Map(
    entries.flatMap(([code, value]): [string, Level][] => {
      const level = LEVELS.find((known) => known === value);
      return level ? [[code.toUpperCase(), level]] : [];
    }),
  );
}

export function levelOf({ code, severity }: Pick<Diagnostic, 'code' | 'severity'>, levels: ReadonlyMap<string, Level>): Level {
  return levels.get(code.toUpperCase()) ?? severity;
}

/** What is to be seen of some diagnostics, and how loud. */
export function audible(found: readonly Diagnostic[], levels: ReadonlyMap<string, Level>): (readonly [Diagnostic, Audible])[] {
  return found.flatMap((one) => {
    const level = levelOf(one, levels);
    return level === 'off' ? [] : [[one, level] as const];
  });
}
