/** @file Constants from outside that become part of a graph (JL301). In: what is to be seen of a file. Out: their values, to stand behind them. */
import type { Diagnostic, Position } from '../../runtime/profile/diagnostic.ts';
import type { Audible } from './severity.ts';

export interface Baked {
  readonly at: Position;
  /** `= 2`. */
  readonly label: string;
  readonly message: string;
}

/** As loud as it is by itself, it is a value in the line; who wants it louder gets a mark. */
export function isQuiet([{ code }, level]: readonly [Diagnostic, Audible]): boolean {
  return code === 'JL301' && level === 'hint';
}

export function bakedIn(shown: readonly (readonly [Diagnostic, Audible])[]): Baked[] {
  return shown.filter(isQuiet).flatMap(([{ message, range }]) => {
    const at = message.indexOf(' = ');
    return at < 0 ? [] : [{ at: range.end, label: message.slice(at + 1), message }];
  });
}
