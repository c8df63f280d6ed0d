/** @file How many functions of a file can be compiled, as text. In: its report. Out: what the status bar says; nothing where there is none. */
import type { FileReport, FunctionReport } from '../../runtime/profile/diagnostic.ts';

export interface Summary {
  /** `5/6 scriptable`. */
  readonly text: string;
  /** Those that cannot be, in the order of their places. */
  readonly stuck: readonly FunctionReport[];
}

export function summaryOf(report: FileReport | undefined): Summary | undefined {
  const { functions = [] } = report ?? {};
  if (functions.length === 0) return undefined;
  const stuck = functions.filter(({ obstacles }) => obstacles.length > 0);
  return { text: `${functions.length - stuck.length}/${functions.length} scriptable`, stuck };
}

/** One line for each that cannot be: its name, and what keeps it. */
export function reasonsOf({ stuck }: Summary): string[] {
  return stuck.map(({ name, obstacles: [first, ...more] }) => {
    const also = more.length > 0 ? `, and ${more.length} more` : '';
    return first ? `${name}: ${first.message} (${first.code}, line ${first.range.start.line}${also})` : name;
  });
}
