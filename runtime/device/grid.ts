/** @file How many workgroups go in each dim of a dispatch. */
import { JitLensError } from '../errors.ts';

export const MAX_GROUPS = 65535;

/** Columns and rows: what is more than one dim holds. Errors: JLT-SIZE. */
export function gridOf(workgroups: number): readonly [number, number] {
  if (workgroups <= MAX_GROUPS) return [workgroups, 1];
  const rows = Math.ceil(workgroups / MAX_GROUPS);
  if (rows > MAX_GROUPS)
    throw new JitLensError('JLT-SIZE', `${workgroups} workgroups are more than a device can run at once`, 'Split the tensor.');
  return [Math.ceil(workgroups / rows), rows];
}
